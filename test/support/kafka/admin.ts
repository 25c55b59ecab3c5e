import { setTimeout as sleep } from 'node:timers/promises';

import kafkajs, { type Admin } from 'kafkajs';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } =
  kafkajs;

const LEADERS_MS = 30_000;
const NOT_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION']);

/** What a test does with topics, each time over a connection of its own. */
export class TopicAdmin {
  readonly #bootstrap: () => string;

  /** @param bootstrap `host:port,…` of brokers, asked for again each time */
  constructor(bootstrap: () => string) {
    this.#bootstrap = bootstrap;
  }

  /** Resolves when all partitions have a leader. Replicas as the broker's default: all nodes. */
  async createTopic(
    topic: string,
    numPartitions = 1,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    const topics = [{ topic, numPartitions, replicationFactor: -1, configEntries }];
    // kafkajs's own wait gives up when the broker has not heard of its new topic yet.
    await this.#ask(async (admin) => {
      await admin.createTopics({ topics, waitForLeaders: false });
      const deadline = Date.now() + LEADERS_MS;
      while (!(await hasLeaders(admin, topic, numPartitions))) {
        if (Date.now() > deadline) throw new Error(`${topic} has no leaders after ${LEADERS_MS} ms`);
        await sleep(50);
      }
    });
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#ask((admin) => admin.deleteTopics({ topics: [topic] }));
  }

  async topics(): Promise<readonly string[]> {
    return (await this.#ask((admin) => admin.listTopics())).toSorted();
  }

  /** The offset that the next record of each partition gets, by partition. */
  async endOffsets(topic: string): Promise<readonly number[]> {
    const found = await this.#ask((admin) => admin.fetchTopicOffsets(topic));
    return found.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  }

  /** Records that a topic holds, in all partitions. With transactions or compaction, more than can be read. */
  async countRecords(topic: string): Promise<number> {
    const found = await this.#ask((admin) => admin.fetchTopicOffsets(topic));
    return found.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  }

  /** Where every replica of every partition is in sync. */
  async isInSync(): Promise<boolean> {
    const { topics } = await this.#ask((admin) => admin.fetchTopicMetadata());
    return topics.every(({ partitions }) =>
      partitions.every(({ replicas, isr, leader }) => leader >= 0 && isr.length === replicas.length),
    );
  }

  /** Brokers that are up, as the cluster says. */
  async brokers(): Promise<number> {
    return (await this.#ask((admin) => admin.describeCluster())).brokers.length;
  }

  /** Denies everybody to write to a topic, or to see it; everything else stays allowed. Needs `authorizer`. */
  async deny(topic: string, what: 'write' | 'describe'): Promise<void> {
    const rule = {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:*',
      host: '*',
    };
    const operation = what === 'write' ? AclOperationTypes.WRITE : AclOperationTypes.DESCRIBE;
    const acl = [
      { ...rule, operation, permissionType: AclPermissionTypes.DENY },
      { ...rule, operation: AclOperationTypes.ALL, permissionType: AclPermissionTypes.ALLOW },
    ];
    await this.#ask((admin) => admin.createAcls({ acl }));
  }

  async #ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const brokers = this.#bootstrap().split(',');
    const admin = new Kafka({ clientId: 'test-admin', brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      return await question(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

/** Asks the leaders themselves: the metadata names them before they have made the partition's log. */
async function hasLeaders(admin: Admin, topic: string, partitions: number): Promise<boolean> {
  try {
    return (await admin.fetchTopicOffsets(topic)).length === partitions;
  } catch (error) {
    if (NOT_YET.has(typeOf(error)) || (error instanceof Error && NOT_YET.has(typeOf(error.cause))))
      return false;
    throw error;
  }
}

function typeOf(error: unknown): string {
  return error instanceof Error && 'type' in error ? String(error.type) : '';
}
