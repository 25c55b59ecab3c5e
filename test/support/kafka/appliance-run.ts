import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { traffic } from '../../../samples/make/traffic.ts';
import type { Report } from '../../../src/observe/report.ts';
import { startReceive } from '../appliance.ts';
import { type FlowLine, flowLines } from '../flow-lines.ts';
import { ownLoopbackAddress, sendPayloads, sendSamples } from '../mirrored-samples.ts';
import { clientNames } from './clients.ts';
import { readTopic, type ReadRecord } from './kcat.ts';
import { PARTITIONS } from './partitions.ts';
import {
  type LanePacketSeen,
  packetsIn,
  packetsOfFrames,
  packetsOfPcapngs,
  type TopicPacket,
} from './topic-packets.ts';

const WORKERS = 2;
/** What each client has its records compressed with: kcat reads them all. */
const compressions = { platformatic: 'zstd', kafkajs: 'gzip', librdkafka: 'lz4' } as const;
type ClientName = keyof typeof compressions;

/** What one client has sent: frames and flow records, and the same packets as pcapngs in a topic for each VNI. */
export interface ClientTopics {
  readonly framesTopic: string;
  /** With `{vni}`. */
  readonly pcapngsTopic: string;
  readonly frames: readonly TopicPacket[];
  readonly pcapngs: readonly TopicPacket[];
  readonly flows: readonly ReadRecord[];
}

/** A packet of the capture files, with the worker that wrote it. */
export interface CapturedPacket extends LanePacketSeen {
  readonly worker: number;
}

/** An appliance that has run, and all that it wrote. */
export interface ApplianceRun {
  readonly report: Report;
  /** By lane and worker, each in the order of its files. */
  readonly captured: readonly CapturedPacket[];
  /** Lines of the flow files, sorted. */
  readonly flowText: string;
  readonly flows: readonly FlowLine[];
  readonly topics: ReadonlyMap<ClientName, ClientTopics>;
}

/** Whole frames, cut ones, tunnels in tunnels, what is no packet at all, each on a lane or two of its own. */
const vxlanSendings = [
  ['traffic.pcapng', 42, '--loop', '3'],
  ['traffic.pcapng', 7, '--packet-length', '64'],
  ['traffic.pcapng', 8, '--packet-length', '40'],
  ['vxlan-sessions.pcapng', 9],
  ['gwlb.pcap', 10, '--packet-length', '150'],
  ['hostile.pcap', 11],
] as const;
const gwlbSendings = [['traffic.pcapng', 4242, '--gwlb', '00000000000000aa']] as const;
/** GENEVE around IPv4, without Ethernet: version 0 and no options, protocol 0x0800, VNI 77. */
const rawPayloads = traffic()
  .filter(({ bytes }) => bytes.readUInt16BE(12) === 0x0800)
  .map(({ bytes }) => Buffer.concat([Buffer.from('0000080000004d00', 'hex'), bytes.subarray(14)]));

/** Runs an appliance with two Kafka sinks for each client, sends to it, stops it, and reads all that it wrote. */
export async function runWithAllClients(bootstrap: string, folder: string): Promise<ApplianceRun> {
  const id = randomBytes(6).toString('hex');
  const names = clientNames.map((client) => ({
    client,
    framesTopic: `frames-${client}-${id}`,
    pcapngsTopic: `pcapngs-${client}-${id}.{vni}`,
    flowsTopic: `flows-${client}-${id}`,
  }));
  const sinks = Object.fromEntries(
    names.flatMap(({ client, framesTopic, pcapngsTopic, flowsTopic }) => {
      const sink = kafkaSink(bootstrap, client, join(folder, 'spool'));
      const frames = { topic: framesTopic, encoding: 'frame' };
      const pcapngs = { topic: pcapngsTopic, encoding: 'pcapng' };
      return [
        [`frames-${client}`, { ...sink, packets: frames, flows: { topic: flowsTopic } }],
        [`pcapngs-${client}`, { ...sink, packets: pcapngs, flows: null }],
      ];
    }),
  );
  const flowLog = { kind: 'flow-files', directory: join(folder, 'flows') };
  const host = ownLoopbackAddress();
  const file = settingsFile(folder, { workers: WORKERS, sinks: { ...sinks, flowLog } });
  // what a Gateway Load Balancer carries is always for port 4789
  const at = [{ vxlanPort: 4789 }, `listen.address=${host}`] as const;
  const receive = await startReceive(join(folder, 'captures'), { file }, ...at);
  await Promise.all([
    sendSamples(`${host}:4789`, vxlanSendings),
    sendSamples(`${host}:${receive.genevePort}`, gwlbSendings),
    sendPayloads(host, receive.genevePort, rawPayloads),
  ]);
  const { finished, report } = await receive.end().catch(async (cause: unknown) => {
    const { status, stderr } = await receive.finished;
    throw new Error(`receive ended with ${status ?? receive.child.signalCode}: ${stderr}`, { cause });
  });
  expect(finished.status).toBe(0);

  const topics = new Map<ClientName, ClientTopics>();
  const vnis = [...new Set(report.lanes.map(({ vni }) => vni))];
  for (const { client, framesTopic, pcapngsTopic, flowsTopic } of names) {
    const byVni = vnis.map((vni) => readTopic({ bootstrap }, pcapngsTopic.replace('{vni}', String(vni))));
    topics.set(client, {
      framesTopic,
      pcapngsTopic,
      frames: packetsOfFrames(await readTopic({ bootstrap }, framesTopic)),
      pcapngs: packetsOfPcapngs((await Promise.all(byVni)).flat()),
      flows: await readTopic({ bootstrap }, flowsTopic),
    });
  }
  const flowText = sortedLines(join(folder, 'flows'));
  const captured = packetsOfFiles(join(folder, 'captures'));
  return { report, captured, flowText, flows: flowLines(flowText), topics };
}

/** Settings of a sink that makes its topics itself. */
export function kafkaSink(bootstrap: string, client: ClientName, spool: string): Record<string, unknown> {
  return {
    kind: 'kafka',
    brokers: bootstrap.split(','),
    client,
    compression: compressions[client],
    createTopics: { enabled: true, partitions: PARTITIONS, replication: 1 },
    queue: { bytes: 4_194_304 },
    spool: { directory: spool, maxBytes: 67_108_864 },
    closeSeconds: 120,
  };
}

/** Writes settings into a folder, which is made where it is missing, and returns the file. JSON is YAML. */
export function settingsFile(folder: string, settings: object): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

/** Packets of all capture files in a folder. */
export function packetsOfFiles(folder: string): CapturedPacket[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pcapng'))
    .sort();
  return files.flatMap((name) => {
    const worker = Number(/-w(\d+)\.pcapng$/.exec(name)?.[1]);
    return packetsIn(readFileSync(join(folder, name))).map((packet) => ({ ...packet, worker }));
  });
}

function sortedLines(folder: string): string {
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  return text
    .join('')
    .split(/(?<=\n)/)
    .toSorted()
    .join('');
}
