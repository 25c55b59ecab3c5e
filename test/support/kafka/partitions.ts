import kafkajs from 'kafkajs';

/** Partitions of the topics that tests have made. */
export const PARTITIONS = 4;

const choose = kafkajs.Partitioners.DefaultPartitioner();
const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
  partitionErrorCode: 0,
  partitionId,
  leader: 0,
  replicas: [],
  isr: [],
}));

/** The partition that kafkajs chooses for a key, as Java's clients do. */
export function javaPartition(key: Buffer | string | null): number {
  return choose({ topic: '', partitionMetadata, message: { key, value: null } });
}
