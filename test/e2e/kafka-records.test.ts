import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { Compile } from 'typebox/schema';
import { afterAll, describe, expect, test } from 'vitest';
import { ledgerDifference, type SinkReport } from '../../src/observe/report.ts';
import { startReceive } from '../support/appliance.ts';
import type { FlowLine } from '../support/flow-lines.ts';
import {
  type ApplianceRun,
  type ClientTopics,
  kafkaSink,
  packetsOfFiles,
  runWithAllClients,
  settingsFile,
} from '../support/kafka/appliance-run.ts';
import { clientNames } from '../support/kafka/clients.ts';
import { readTopic } from '../support/kafka/kcat.ts';
import { javaPartition, PARTITIONS } from '../support/kafka/partitions.ts';
import {
  expectCommunityIds,
  expectFlowHeaders,
  expectLaneCounts,
  expectOrder,
  expectSame,
  flowKey,
  laneHeaders,
} from '../support/kafka/record-checks.ts';
import { sharedKafka } from '../support/kafka/shared.ts';
import {
  type LanePacketSeen,
  packetsOfFrames,
  packetText,
  type TopicPacket,
} from '../support/kafka/topic-packets.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';
import { ownLoopbackAddress, sendSamples } from '../support/mirrored-samples.ts';
import { requires } from '../support/requires.ts';
import { root } from '../support/source-files.ts';
import { runWireshark } from '../support/tshark.ts';

const canRun = [requiresKafka(), requires('tshark'), requires('capinfos')].every(Boolean);
const schemaFile = join(root, 'src/format/flow-record.schema.json');
const validator = Compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>);

describe.skipIf(!canRun)('Kafka records of receive', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-records-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let done: ApplianceRun | undefined;
  const run = (): ApplianceRun => {
    if (done === undefined) throw new Error('The appliance did not run to its end.');
    return done;
  };

  test('all clients and encodings beside capture files and flow files: every ledger adds up', async () => {
    done = await runWithAllClients((await sharedKafka()).bootstrap, folder);
    const { report, captured, flows } = done;
    expect(ledgerDifference(report)).toBe(0);
    expect(report.ledger.dropped).toEqual({ kernel: 0, worker: 0 });
    const packets = report.ledger.delivered;
    expect(packets).toBeGreaterThan(1500);
    expect(captured).toHaveLength(packets);
    const sinks = new Map(report.sinks.map((sink) => [sink.name, sink]));
    for (const client of clientNames) {
      for (const [name, count] of [
        [`frames-${client}`, packets],
        [`pcapngs-${client}`, packets],
        [`frames-${client}.flows`, flows.length],
      ] as const) {
        expect(sinks.get(name)).toMatchObject(ledgerOf(name, count));
      }
      expect(sinks.has(`pcapngs-${client}.flows`)).toBe(false);
    }
  });

  describe.each(clientNames)('%s', (client) => {
    const topics = (): ClientTopics => run().topics.get(client)!;
    const observer = (): string => JSON.parse(run().flowText.split('\n')[0] ?? '').observer.name as string;

    test('frames: every packet once, byte for byte, in order, in the partition of its key', () => {
      const { frames } = topics();
      expectSame(frames, run().captured);
      expectOrder(frames, run().captured, ({ record }) => String(record.key));
      for (const { record } of frames) {
        expect(record.timestampMs).toBe(Number(record.headers.get('ts-ns')?.slice(0, -6)));
        expect(record.partition).toBe(javaPartition(record.key));
      }
      expect(new Set(frames.map(({ record }) => record.partition)).size).toBe(PARTITIONS);
    });

    test('frames: headers are what report, flow records and tshark say', () => {
      const { frames } = topics();
      expectLaneCounts(frames, run().report);
      expectFlowHeaders(frames, run().flows);
      expectCommunityIds(frames);
      for (const { lane, wireLen, data, record } of frames) {
        const { headers } = record;
        expect(Object.fromEntries(headers)).toMatchObject({
          ...laneHeaders(run().report, lane),
          observer: observer(),
        });
        if (wireLen > data.length / 2) expect(headers.get('truncated')).toBe('1');
        expect(headers.has('changed')).toBe(false);
      }
    });

    test('pcapngs: the same packets, each in the partition of its own key, in the topic of its VNI', () => {
      const { frames, pcapngs } = topics();
      expectSame(pcapngs, run().captured);
      const keys = new Map(frames.map((packet) => [packetText(packet), String(packet.record.key)]));
      const key = (packet: TopicPacket): string => keys.get(packetText(packet)) ?? '';
      expectOrder(pcapngs, run().captured, key);
      for (const packet of pcapngs) {
        const { partition, headers, key: recordKey } = packet.record;
        expect(partition).toBe(javaPartition(key(packet)));
        expect(String(recordKey)).toBe(`${packet.lane}/${partition}`);
        expect(Object.fromEntries(headers)).toEqual({
          ...laneHeaders(run().report, packet.lane),
          observer: observer(),
          'link-type': String(packet.linkType),
        });
      }
    });

    test('flow records: those of the flow files, good by the schema, in the partition of their key', () => {
      const { flows } = topics();
      expect(
        flows
          .map(({ value }) => `${value}\n`)
          .toSorted()
          .join(''),
      ).toBe(run().flowText);
      for (const { value, key, partition, headers, timestampMs } of flows) {
        const flow = JSON.parse(String(value)) as FlowLine;
        expect({ flow, errors: validator.Errors(flow)[1] }).toEqual({ flow, errors: [] });
        expect(String(key)).toBe(flowKey(flow));
        expect(partition).toBe(javaPartition(key));
        expect(timestampMs).toBe(Date.parse(flow.event.end));
        expect(headers.size).toBe(0);
      }
    });
  });

  test('a consumer with kafkajs reads what kcat reads', async () => {
    // of codecs kafkajs itself has gzip alone
    const { framesTopic, frames } = run().topics.get('kafkajs')!;
    const texts = await consumed((await sharedKafka()).bootstrap, framesTopic, frames.length);
    const wanted = frames.map(({ record: { partition, offset, key, value, headers } }) =>
      JSON.stringify([partition, offset, String(key), value?.toString('hex'), [...headers]]),
    );
    expect(texts.toSorted()).toEqual(wanted.toSorted());
  });

  test.each(['frames', 'pcapngs'] as const)('the sample consumer puts %s into one file', async (what) => {
    const { framesTopic, pcapngsTopic } = run().topics.get('platformatic')!;
    const topic = what === 'frames' ? framesTopic : `/^${pcapngsTopic.replace('{vni}', '\\d+')}$/`;
    const file = join(folder, `${what}.pcapng`);
    await promisify(execFile)(process.execPath, [
      join(root, 'samples/consumers/topic-to-pcapng.mjs'),
      '--brokers',
      (await sharedKafka()).bootstrap,
      '--topic',
      topic,
      '--to-end',
      '--out',
      file,
    ]);
    expect(tsharkRows(file).toSorted()).toEqual(run().captured.map(tsharkRow).toSorted());
    const { report } = run();
    const summary = runWireshark('capinfos', ['-M', file]);
    expect(summary).toMatch(new RegExp(`Number of packets: *${report.ledger.delivered}\n`));
    expect(summary).toContain(`Number of interfaces in file: ${report.lanes.length}\n`);
  });

  test('a sink that selects: only these packets are in the topic, the others are filtered', async () => {
    const kafka = await sharedKafka();
    const topic = kafka.topicName('select');
    const directory = join(folder, 'select');
    const host = ownLoopbackAddress();
    const bus = {
      ...kafkaSink(kafka.bootstrap, 'platformatic', join(directory, 'spool')),
      packets: { topic },
      flows: null,
      select: { vnis: ['42-43'], filter: 'udp port 53 and host 10.0.0.2', snapLength: 60 },
    };
    const file = settingsFile(directory, { workers: 1, sinks: { bus } });
    const captures = join(directory, 'captures');
    const receive = await startReceive(captures, { file }, `listen.address=${host}`);
    const sendings = [42, 43, 44].map((vni) => ['traffic.pcapng', vni] as const);
    await sendSamples(`${host}:${receive.vxlanPort}`, sendings);
    const { report } = await receive.end();

    const wanted = packetsOfFiles(captures)
      .filter(({ lane, data }) => lane !== 'vni-44' && isDns(Buffer.from(data, 'hex')))
      .map((packet) => packetText({ ...packet, data: packet.data.slice(0, 120) }));
    expect(wanted.length).toBeGreaterThan(20);
    const packets = packetsOfFrames(await readTopic({ bootstrap: kafka.bootstrap }, topic));
    expect(packets.map(packetText).toSorted()).toEqual(wanted.toSorted());
    const { delivered } = report.ledger;
    expect(report.sinks.find(({ name }) => name === 'bus')).toMatchObject({
      ...ledgerOf('bus', delivered),
      written: wanted.length,
      filtered: delivered - wanted.length,
    });
  });
});

function ledgerOf(name: string, count: number): Partial<SinkReport> {
  return { name, kind: 'kafka', delivered: count, written: count, filtered: 0, dropped: {}, pending: 0 };
}

/** Reads so many records of a topic with kafkajs. */
async function consumed(bootstrap: string, topic: string, count: number): Promise<string[]> {
  const kafka = new kafkajs.Kafka({ brokers: bootstrap.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `${topic}-group`, maxWaitTimeInMs: 200 });
  const texts: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    const eachMessage = ({ partition, message }: kafkajs.EachMessagePayload): Promise<void> => {
      const { offset, key, value, headers = {} } = message;
      const pairs = Object.entries(headers).map(([name, text]) => [name, String(text)]);
      texts.push(JSON.stringify([partition, Number(offset), String(key), value?.toString('hex'), pairs]));
      if (texts.length === count) resolve();
      return Promise.resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return texts;
}

/** Interface, time, both lengths and the hash of each packet. */
function tsharkRows(file: string): string[] {
  const fields = ['interface_name', 'time_epoch', 'len', 'cap_len', 'md5_hash'];
  const wanted = fields.flatMap((field) => ['-e', `frame.${field}`]);
  const options = ['-o', 'frame.generate_md5_hash:TRUE', '-T', 'fields', ...wanted];
  return runWireshark('tshark', ['-n', '-r', file, ...options])
    .split('\n')
    .slice(0, -1);
}

function tsharkRow({ lane, time, wireLen, data }: LanePacketSeen): string {
  const bytes = Buffer.from(data, 'hex');
  return [lane, time, wireLen, bytes.length, hash('md5', bytes, 'hex')].join('\t');
}

/** IPv4 and UDP without options or tags, port 53, to or from 10.0.0.2. */
function isDns(frame: Buffer): boolean {
  if (frame.toString('hex', 12, 15) !== '080045' || frame[23] !== 17) return false;
  const hosts = [frame.readUInt32BE(26), frame.readUInt32BE(30)];
  return hosts.includes(0x0a00_0002) && [frame.readUInt16BE(34), frame.readUInt16BE(36)].includes(53);
}
