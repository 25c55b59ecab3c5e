import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TopicAdmin } from './admin.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { formatFolder, newId } from './format.ts';
import { startJava, tail } from './java.ts';
import { user } from './logins.ts';
import { freePorts } from './ports.ts';
import { type ListenerName, serverProperties } from './properties.ts';

const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
const STARTED = 'Kafka Server started';

/** What a broker is to be. Everything may be left out. */
export interface BrokerOptions {
  /** Besides PLAINTEXT, which is always there. SSL and SASL_SSL bring certificates. */
  readonly listeners?: readonly Exclude<ListenerName, 'PLAINTEXT' | 'PROXIED'>[];
  /** Adds the listener PROXIED, of which clients learn this port instead of its own. */
  readonly proxyPort?: number;
  readonly clientCertificate?: 'requested' | 'required';
  /** Access is checked; all is allowed until a rule speaks of it: see TopicAdmin.deny. */
  readonly authorizer?: boolean;
  /** Lines of server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly heapMb?: number;
  /** The place of this node in a cluster: see KafkaCluster. */
  readonly place?: ClusterPlace;
}

export interface ClusterPlace {
  readonly nodeId: number;
  readonly clusterId: string;
  /** Of node 1, 2, … */
  readonly controllerPorts: readonly number[];
}

/** A real Apache Kafka on loopback: broker and controller in one process, its data in a folder of its own. */
export class KafkaBroker {
  readonly admin: TopicAdmin;
  readonly #folder: string;
  /** By listener. */
  readonly ports: ReadonlyMap<ListenerName, number>;
  readonly #certificates: Certificates | undefined;
  readonly #heapMb: number;
  #child: ChildProcess | undefined;
  /** Settles when there is a child. */
  #starting: Promise<void> | undefined;
  #isSuspended = false;
  /** Where in the log the present run began. */
  #logFrom = 0;
  readonly #atExit = (): void => this.#discardNow();

  private constructor(
    folder: string,
    ports: ReadonlyMap<ListenerName, number>,
    certificates: Certificates | undefined,
    heapMb: number,
  ) {
    this.#folder = folder;
    this.ports = ports;
    this.#certificates = certificates;
    this.#heapMb = heapMb;
    this.admin = new TopicAdmin(() => this.bootstrap);
    process.once('exit', this.#atExit);
  }

  /** Resolves when it serves. The caller calls `discard`; should this process end before, the broker ends with it. */
  static async start(options: BrokerOptions = {}): Promise<KafkaBroker> {
    const broker = await KafkaBroker.prepare(options);
    try {
      await broker.start();
      return broker;
    } catch (error) {
      await broker.discard();
      throw error;
    }
  }

  /** Formats a folder for a broker that is started later. */
  static async prepare(options: BrokerOptions = {}): Promise<KafkaBroker> {
    const names: ListenerName[] = ['PLAINTEXT', ...(options.listeners ?? [])];
    if (options.proxyPort !== undefined) names.push('PROXIED');
    const [controllerPort = 0, ...free] = await freePorts(names.length + 1);
    const place = options.place ?? { nodeId: 1, clusterId: newId(), controllerPorts: [controllerPort] };
    const ports = new Map(names.map((name, index) => [name, free[index] ?? 0]));
    const folder = mkdtempSync(join(tmpdir(), 'mirrortap-kafka-'));
    const secure = names.some((name) => name.endsWith('SSL'));
    const certificates = secure ? makeCertificates(folder) : undefined;
    const broker = new KafkaBroker(folder, ports, certificates, options.heapMb ?? 384);
    const text = serverProperties({
      nodeId: place.nodeId,
      dataFolder: join(folder, 'data'),
      ports,
      controllerPort: place.controllerPorts[place.nodeId - 1] ?? 0,
      voters: place.controllerPorts.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(','),
      nodes: place.controllerPorts.length,
      ...(options.proxyPort === undefined ? {} : { proxyPort: options.proxyPort }),
      ...(certificates === undefined ? {} : { certificate: certificates.server }),
      clientCertificate: options.clientCertificate ?? 'requested',
      user,
      authorizer: options.authorizer ?? false,
      more: options.properties ?? {},
    });
    writeFileSync(broker.#propertiesFile, text);
    try {
      await formatFolder(folder, place, user);
      return broker;
    } catch (error) {
      await broker.discard();
      throw error;
    }
  }

  /** `127.0.0.1:PORT` of the listener PLAINTEXT. */
  get bootstrap(): string {
    return `127.0.0.1:${this.port('PLAINTEXT')}`;
  }

  /** Of a listener that was asked for. */
  port(listener: ListenerName): number {
    const port = this.ports.get(listener);
    if (port === undefined) throw new Error(`This broker was started without the listener ${listener}.`);
    return port;
  }

  /** Of a broker with the listener SSL or SASL_SSL. */
  get certificates(): Certificates {
    if (this.#certificates === undefined)
      throw new Error('This broker was started without SSL and SASL_SSL.');
    return this.#certificates;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** What it has logged from its first start on: warnings and errors. */
  get log(): string {
    const file = this.#logFile;
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Starts it again, with the ports and the data it had; resolves when it serves. */
  async start(): Promise<void> {
    this.launch();
    await this.untilReady();
  }

  /** Starts it and does not wait: one node of a cluster alone is never ready. */
  launch(): void {
    if (this.#child !== undefined || this.#starting !== undefined)
      throw new Error('The broker runs already.');
    this.#logFrom = this.log.length;
    this.#starting = this.#spawn();
  }

  async untilReady(): Promise<void> {
    await this.#starting;
    const endMs = Date.now() + READY_LIMIT_MS;
    while (!this.log.includes(STARTED, this.#logFrom)) {
      if (this.#child === undefined)
        throw new Error(`The broker ended before it was ready:\n${tail(this.log)}`);
      if (Date.now() > endMs) throw new Error(`The broker was not ready in time:\n${tail(this.log)}`);
      await pause(20);
    }
  }

  /** SIGTERM, and SIGKILL should that take too long. Its data stays. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** SIGKILL: what the kernel has of its writes stays, and clients see their connections reset. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Connections are accepted, by the kernel, and nothing is answered, until `resume`. */
  suspend(): void {
    this.#child?.kill('SIGSTOP');
    this.#isSuspended = true;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.#isSuspended = false;
  }

  /** Ends it and removes its folder. */
  async discard(): Promise<void> {
    await this.kill();
    this.#discardNow();
    process.off('exit', this.#atExit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discard();
  }

  get #propertiesFile(): string {
    return join(this.#folder, 'server.properties');
  }

  get #logFile(): string {
    return join(this.#folder, 'broker.log');
  }

  async #spawn(): Promise<void> {
    const child = await startJava({
      mainClass: 'kafka.Kafka',
      args: [this.#propertiesFile],
      heapMb: this.#heapMb,
      logFile: this.#logFile,
    });
    this.#child = child;
    const gone = (): void => {
      this.#child = undefined;
      this.#starting = undefined;
    };
    child.once('exit', gone).once('error', gone);
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#starting?.catch(() => {
      // whoever waited for the start was told
    });
    const child = this.#child;
    if (child === undefined) return;
    if (this.#isSuspended && signal === 'SIGTERM') this.resume();
    this.#isSuspended = false;
    const ended = once(child, 'exit');
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  #discardNow(): void {
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
