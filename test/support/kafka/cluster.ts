import { setTimeout as pause } from 'node:timers/promises';
import { TopicAdmin } from './admin.ts';
import { type BrokerOptions, KafkaBroker } from './broker.ts';
import { newId } from './format.ts';
import { freePorts } from './ports.ts';

const IN_SYNC_LIMIT_MS = 60_000;

/** What every broker of a cluster is to be; `proxyPorts` has one for each, or is left out. */
export interface ClusterOptions extends Omit<BrokerOptions, 'place' | 'proxyPort'> {
  readonly proxyPorts?: readonly number[];
}

/** Three brokers that are controllers too. Topics have a replica on each, and take writes while two are in sync. */
export class KafkaCluster {
  readonly brokers: readonly KafkaBroker[];
  readonly admin: TopicAdmin;

  private constructor(brokers: readonly KafkaBroker[]) {
    this.brokers = brokers;
    this.admin = new TopicAdmin(() => this.bootstrap);
  }

  /** Resolves when all three serve. The caller calls `discard`. */
  static async start(options: ClusterOptions = {}): Promise<KafkaCluster> {
    const { proxyPorts = [], ...common } = options;
    const controllerPorts = await freePorts(3);
    const clusterId = newId();
    const brokers: KafkaBroker[] = [];
    const cluster = new KafkaCluster(brokers);
    try {
      for (const [index] of controllerPorts.entries()) {
        const proxyPort = proxyPorts[index];
        const place = { nodeId: index + 1, clusterId, controllerPorts };
        const broker = { ...common, place, ...(proxyPort === undefined ? {} : { proxyPort }) };
        brokers.push(await KafkaBroker.prepare(broker));
      }
      for (const broker of brokers) broker.launch();
      await Promise.all(brokers.map((broker) => broker.untilReady()));
      return cluster;
    } catch (error) {
      await cluster.discard();
      throw error;
    }
  }

  /** `host:port,…` of the listener PLAINTEXT of all three, whether they run or not. */
  get bootstrap(): string {
    return this.brokers.map((broker) => broker.bootstrap).join(',');
  }

  /** Stops and starts one broker after the other, each when all replicas are in sync again. */
  async restartOneByOne(): Promise<void> {
    for (const broker of this.brokers) {
      await broker.stop();
      await broker.start();
      await this.untilInSync();
    }
  }

  /** Resolves when all brokers are up and every replica is in sync. */
  async untilInSync(): Promise<void> {
    const endMs = Date.now() + IN_SYNC_LIMIT_MS;
    while (!((await this.admin.brokers()) === this.brokers.length && (await this.admin.isInSync()))) {
      if (Date.now() > endMs) throw new Error('The replicas of the cluster did not get in sync in time.');
      await pause(100);
    }
  }

  async discard(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.discard()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discard();
  }
}
