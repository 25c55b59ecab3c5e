import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import kafkajs, { type Message, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { pcapngFile } from '../../samples/make/capture.ts';
import { traffic } from '../../samples/make/traffic.ts';
import { encodeFlow, FLOW_JSON_MAX_BYTES } from '../../src/format/flow-json.ts';
import { PcapngDecoder } from '../../src/format/pcapng-decoder.ts';
import { NameKind } from '../../src/packet/flow-record.ts';
import { AvroFlows } from '../../src/sinks/kafka/avro.ts';
import { decodeAll } from '../support/decoding.ts';
import { flowRecord } from '../support/flow-records.ts';
import { KafkaBroker } from '../support/kafka/broker.ts';
import { TopicAdmin } from '../support/kafka/admin.ts';
import { writeLines } from '../support/kafka/kcat.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';
import { epochTime, frameMessage, type LanePacket } from '../support/kafka-messages.ts';
import { requires } from '../support/requires.ts';
import { startRegistry } from '../support/schema-registry.ts';
import { runWireshark, tsharkFields, withFolder } from '../support/tshark.ts';

const { CompressionTypes, Kafka, logLevel } = kafkajs;
const folder = join(import.meta.dirname, '../../samples/consumers');
const canRun = [requiresKafka(), requires('tshark'), requires('capinfos')].every(Boolean);

/** The sample traffic on three lanes: whole, cut, and without Ethernet header. */
const packets: readonly LanePacket[] = traffic().map((packet, index): LanePacket => {
  if (index % 3 === 0) return { ...packet, lane: 'vni-42', linkType: 1 };
  const { bytes, wireLen = bytes.length } = packet;
  if (index % 3 === 1)
    return { ...packet, bytes: bytes.subarray(0, 64), wireLen, lane: 'vni-64', linkType: 1 };
  return { ...packet, bytes: bytes.subarray(14), wireLen: wireLen - 14, lane: 'vni-7-ip', linkType: 101 };
});

interface Row {
  readonly lane?: string;
  readonly time: string;
  readonly linkType: number;
  readonly wireLen: number;
  readonly data: string;
}
const expected: readonly Row[] = packets.map((packet) => ({
  lane: packet.lane,
  time: epochTime(packet),
  linkType: packet.linkType,
  wireLen: packet.wireLen ?? packet.bytes.length,
  data: packet.bytes.toString('hex'),
}));

describe.skipIf(!canRun)('sample consumers', { timeout: 120_000 }, () => {
  let broker: KafkaBroker | undefined;
  let brokers: string;
  let producer: Producer;
  beforeAll(async () => {
    if (process.env['KAFKA_BROKERS'] === undefined) {
      // one that makes topics when it is asked about them: consumers should not have it do so
      broker = await KafkaBroker.start({ properties: { 'auto.create.topics.enable': 'true' } });
    }
    brokers = process.env['KAFKA_BROKERS'] ?? broker?.bootstrap ?? '';
    const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
    producer = kafka.producer();
    await producer.connect();
  }, 360_000);
  afterAll(async () => {
    await producer?.disconnect();
    await broker?.discard();
  });

  /** A topic of this run with these messages, dealt out to three partitions. */
  async function filled(
    name: string,
    messages: readonly Message[],
    compression = CompressionTypes.None,
  ): Promise<string> {
    const topic = `${name}.${randomUUID()}`;
    await new TopicAdmin(() => brokers).createTopic(topic, 3);
    await send(topic, messages, compression);
    return topic;
  }

  function topics(): Promise<readonly string[]> {
    return new TopicAdmin(() => brokers).topics();
  }

  async function send(
    topic: string,
    messages: readonly Message[],
    compression = CompressionTypes.None,
  ): Promise<void> {
    const dealt = messages.map((message, index) => ({ ...message, partition: index % 3 }));
    if (dealt.length > 0) await producer.send({ topic, messages: dealt, compression });
  }

  function start(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [join(folder, program), '--brokers', brokers, ...args], {
      stdio: 'pipe',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  async function run(
    program: string,
    args: readonly string[],
  ): Promise<{ status: unknown; stdout: string; stderr: string }> {
    const child = start(program, args);
    const said = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    const [status] = (await once(child, 'close')) as unknown[];
    return { status, ...said };
  }

  const shell = async (command: string, environment: Readonly<Record<string, string>>): Promise<Buffer> => {
    const env = { ...process.env, BROKERS: brokers, ...environment };
    const options = { env, encoding: 'buffer', maxBuffer: 1 << 26 } as const;
    return (await promisify(execFile)(join(folder, 'kcat.sh'), [command], options)).stdout;
  };

  /** Records of `packets.encoding: pcapng`: one lane each. */
  function sections(): Message[] {
    return ['vni-42', 'vni-64'].flatMap((lane) => {
      const own = packets.filter((packet) => packet.lane === lane);
      return [0, 20, 40].map((from) => ({
        key: `${lane}/0`,
        value: pcapngFile(own.slice(from, from === 40 ? own.length : from + 20), [lane]),
      }));
    });
  }

  describe('topic-to-pcapng.mjs', () => {
    test('frames', () =>
      withFolder(async (home) => {
        const messages = packets.map((packet) => frameMessage(packet));
        const topic = await filled('frames', messages, CompressionTypes.GZIP);
        const file = join(home, 'all.pcapng');
        const { status } = await run('topic-to-pcapng.mjs', ['--topic', topic, '--to-end', '--out', file]);
        expect(status).toBe(0);
        expectPackets(file, expected);
      }));

    test('pcapngs, of which one file of one section is made', () =>
      withFolder(async (home) => {
        const topic = await filled('pcapngs', sections());
        const file = join(home, 'all.pcapng');
        const { status } = await run('topic-to-pcapng.mjs', ['--topic', topic, '--to-end', '--out', file]);
        expect(status).toBe(0);
        expectPackets(
          file,
          expected.filter(({ lane }) => lane !== 'vni-7-ip'),
        );
        expect(runWireshark('capinfos', [file])).toMatch(/Number of interfaces in file: 2\n/);
      }));

    test('both, from topics that match, and what is neither is left out', () =>
      withFolder(async (home) => {
        const raw = packets.filter(({ lane }) => lane === 'vni-7-ip');
        const id = randomUUID();
        await filled(`match-${id}-7`, [...raw.map((packet) => frameMessage(packet)), { value: 'neither' }]);
        await filled(`match-${id}-42`, sections());
        await filled(`match-${id}-empty`, []);
        const file = join(home, 'all.pcapng');
        const args = ['--topic', `/^match-${id}-/`, '--to-end', '--out', file];
        const { status, stderr } = await run('topic-to-pcapng.mjs', args);
        expect(status).toBe(0);
        expect(stderr).toContain('\n1 records were neither frames nor pcapngs.\n');
        expectPackets(file, expected);
      }));

    test('checksums that a card was to fill in, and what was changed, are told to Wireshark', () =>
      withFolder(async (home) => {
        const [packet] = packets;
        const message = frameMessage(packet!, { checksum: 'partial', changed: 'checksum' });
        const topic = await filled('flags', [message]);
        const file = join(home, 'all.pcapng');
        await run('topic-to-pcapng.mjs', ['--topic', topic, '--to-end', '--out', file]);
        const fields = ['frame.packet_flags', 'frame.comment'];
        expect(tsharkFields(file, fields)).toEqual([['0x00000200', 'changed: checksum']]);
      }));

    test('a topic that is not there is told, and not made', async () => {
      const topic = `missing-${randomUUID()}`;
      const { status, stderr } = await run('topic-to-pcapng.mjs', ['--topic', topic, '--to-end']);
      expect(status).toBe(1);
      expect(stderr).toContain(`There is no topic ${topic}.\n`);
      const waiting = start('topic-to-pcapng.mjs', ['--topic', topic]);
      let said = '';
      waiting.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await expect.poll(() => said, { timeout: 30_000 }).toContain('does not host this topic-partition');
      waiting.kill('SIGKILL');
      expect(await topics()).not.toContain(topic);
    });

    test('a group goes on where it left off; SIGTERM leaves a whole file', () =>
      withFolder(async (home) => {
        const topic = await filled(
          'group',
          packets.slice(0, 60).map((packet) => frameMessage(packet)),
        );
        const group = `group-${randomUUID()}`;
        const files = ['first', 'second'].map((name) => join(home, `${name}.pcapng`));
        for (const [index, file] of files.entries()) {
          const child = start('topic-to-pcapng.mjs', ['--topic', topic, '--group', group, '--out', file]);
          const wanted = index === 0 ? 60 : packets.length - 60;
          await expect.poll(() => countOf(file), { timeout: 60_000, interval: 200 }).toBe(wanted);
          child.kill('SIGTERM');
          expect(await once(child, 'close')).toEqual([0, null]);
          if (index === 0)
            await send(
              topic,
              packets.slice(60).map((packet) => frameMessage(packet)),
            );
        }
        expectPackets(files[0]!, expected.slice(0, 60));
        expectPackets(files[1]!, expected.slice(60));
      }));
  });

  describe('print-flows.mjs', () => {
    const json = (sequence: number) => {
      const out = Buffer.alloc(FLOW_JSON_MAX_BYTES);
      const names = [{ kind: NameKind.tlsServerName, text: 'www.example.com' }];
      return Buffer.from(
        out.subarray(0, encodeFlow(flowRecord({ sequence, protocol: 17, names }), 'host', out, 0) - 1),
      );
    };
    const line = (time: string) =>
      `${time} vni-42 udp 10.0.0.1:40000 > 10.0.0.2:53 packets 1/0 bytes 0/0 active www.example.com\n`;

    test('prints records in JSON, those that came twice once', async () => {
      const topic = await filled('flows', [{ value: json(1) }]);
      await writeLines({ bootstrap: brokers }, topic, [json(2).toString(), json(1).toString()]);
      const { status, stdout } = await run('print-flows.mjs', ['--topic', topic, '--to-end']);
      expect(status).toBe(0);
      expect(stdout).toBe(line('2026-11-21T04:00:00.000000000Z').repeat(2));
    });

    test('prints records in Avro with the schema of the registry', async () => {
      const registry = await startRegistry();
      onTestFinished(() => registry.close());
      const settings = { url: registry.url, username: '', passwordFile: '', passwordEnv: '' };
      const flows = await AvroFlows.open(settings, 'flows-value', undefined);
      const topic = await filled('avro', [{ value: flows.encode(json(1)) }]);
      const args = ['--topic', topic, '--to-end'];
      expect((await run('print-flows.mjs', [...args, '--registry', registry.url])).stdout).toBe(
        line('2026-11-21T04:00:00.000Z'),
      );
      const without = await run('print-flows.mjs', args);
      expect(without).toMatchObject({ status: 1 });
      expect(without.stderr).toContain('These records are Avro: say --registry URL.\n');
    });
  });

  describe('kcat.sh', () => {
    test('flows', async () => {
      const topic = await filled('kcat-flows', [{ value: '{"a":1}\n' }]);
      expect((await shell('flows', { FLOWS: topic })).toString()).toBe('{"a":1}\n');
    });

    test('packets', async () => {
      const cut = packets.find(({ lane, wireLen = 0 }) => lane === 'vni-64' && wireLen > 64);
      const topic = await filled('kcat-packets', [frameMessage(cut!)]);
      const text = (await shell('packets', { PACKETS: topic })).toString();
      expect(text).toMatch(
        /^0 0 vni-64\/10\.0\.1\.10\/10\.0\.2\.20 64 vni=64,encapsulation=vxlan,.*truncated=1\n$/,
      );
    });

    test('pcapng: records one after the other are a pcapng', () =>
      withFolder(async (home) => {
        const topic = await filled('kcat-pcapngs', sections());
        const file = join(home, 'all.pcapng');
        writeFileSync(file, await shell('pcapng', { PACKETS: topic }));
        const rows = expected.filter(({ lane }) => lane !== 'vni-7-ip');
        expect(sorted(decoded(file))).toEqual(sorted(rows.map(({ lane: _lane, ...row }) => row)));
        expect(tsharkFields(file, ['frame.time_epoch'])).toHaveLength(rows.length);
      }));
  });
});

function decoded(file: string): Row[] {
  const { packets: found, problem } = decodeAll(new PcapngDecoder(), readFileSync(file));
  expect(problem).toBeUndefined();
  return found;
}

function countOf(file: string): number {
  try {
    return tsharkFields(file, ['frame.number']).length;
  } catch {
    return -1;
  }
}

/** Packets of a partition come in order, those of several in any. */
function sorted<Seen extends Row>(rows: readonly Seen[]): Seen[] {
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

const key = ({ lane = '', time, data }: Row): string => `${time} ${lane} ${data}`;

function expectPackets(file: string, rows: readonly Row[]): void {
  const lanes = tsharkFields(file, ['frame.interface_name', 'frame.time_epoch', 'frame.len']);
  const found = decoded(file).map((row, index) => ({ ...row, lane: lanes[index]?.[0] ?? '' }));
  expect(sorted(found)).toEqual(sorted(rows as Required<Row>[]));
  expect(lanes.map(([, time, length]) => [time, Number(length)])).toEqual(
    found.map(({ time, wireLen }) => [time, wireLen]),
  );
}
