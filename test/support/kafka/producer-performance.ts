import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJava } from './java.ts';

/** What Kafka's own producer is to send. */
export interface PerformanceLoad {
  /** `host:port,…` */
  readonly bootstrap: string;
  readonly topic: string;
  readonly records: number;
  /** Of each value, random; there is no key. */
  readonly valueBytes: number;
  /** Settings of the producer: `acks`, `linger.ms`, `compression.type`, … */
  readonly properties?: Readonly<Record<string, string>>;
}

/** What it says of itself; its first requests, from a cold JVM, are part of it. */
export interface PerformanceResult {
  readonly records: number;
  readonly recordsPerSecond: number;
  /** Of 1,048,576 bytes. */
  readonly mebibytesPerSecond: number;
}

const LAST_LINE = /^(\d+) records sent, ([\d.]+) records\/sec \(([\d.]+) MB\/sec\).*max latency/gm;

/** Runs org.apache.kafka.tools.ProducerPerformance, the measure of every Kafka cluster, to its end. */
export async function producerPerformance(load: PerformanceLoad): Promise<PerformanceResult> {
  const properties = { 'bootstrap.servers': load.bootstrap, ...load.properties };
  const given = Object.entries(properties).map((pair) => pair.join('='));
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-kafka-'));
  try {
    const printed = await runJava({
      mainClass: 'org.apache.kafka.tools.ProducerPerformance',
      args: `--topic ${load.topic} --num-records ${load.records} --record-size ${load.valueBytes} --throughput -1`
        .split(' ')
        .concat('--producer-props', given),
      heapMb: 512,
      logFile: join(folder, 'performance.log'),
    });
    const [, records, perSecond, mebibytes] = [...printed.matchAll(LAST_LINE)].at(-1) ?? [];
    if (records === undefined) throw new Error(`ProducerPerformance said nothing of use:\n${printed}`);
    return {
      records: Number(records),
      recordsPerSecond: Number(perSecond),
      mebibytesPerSecond: Number(mebibytes),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
