import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { FLOW_KEY_MAX_BYTES, writeFlowKey } from '../../../../../src/format/flow-key.ts';
import {
  LANE_ENTRY_BYTES,
  packetEntryBytes,
  writeLane,
  writePacket,
} from '../../../../../src/format/packet-block.ts';
import { PacketBatch } from '../../../../../src/packet/batch.ts';
import { Innermost } from '../../../../../src/packet/innermost.ts';
import type { LinkType } from '../../../../../src/packet/link-type.ts';
import { Admission } from '../../../../../src/receive/admission.ts';
import { Analysis } from '../../../../../src/receive/analysis.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../../../../src/receive/analysis-tally.ts';
import { FlowTable } from '../../../../../src/receive/flows/flow-table.ts';
import { InterfaceTable } from '../../../../../src/receive/flows/interface-table.ts';
import { FragmentTable } from '../../../../../src/receive/fragment-table.ts';
import { InnerFrameReader } from '../../../../../src/receive/inner-frame-reader.ts';
import { InnermostReader } from '../../../../../src/receive/innermost.ts';
import { allocateLanes } from '../../../../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../../../../src/receive/lanes.ts';
import { Receiver } from '../../../../../src/receive/receiver.ts';
import { TALLY_LENGTH } from '../../../../../src/receive/tally.ts';
import { FrameRecords } from '../../../../../src/sinks/kafka/records/frame-records.ts';
import { blockOf } from '../../../../../src/wire/block.ts';
import { HostileTraffic } from '../../../../support/hostile-traffic.ts';
import { headersOf, recordsOf } from '../../../../support/kafka-records.ts';
import { encoderOptions } from '../../../../support/packet-blocks.ts';
import { admitAll, defaultPorts } from '../../../../support/receiving.ts';
import { Seeded } from '../../../../support/seeded.ts';

const TOPIC = 'mirrortap.packets';
const LANES = 64;

/** A receiver whose flows are told by key and Community ID. */
function receiverWithFlows() {
  const flows = new Set<string>();
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const lanes = new LaneDirectory(allocateLanes(LANES, 1));
  const key = Buffer.alloc(FLOW_KEY_MAX_BYTES);
  const table = new FlowTable({
    maxFlows: 100_000,
    gaps: 100,
    idleSeconds: { tcp: 350, udp: 60, other: 30 },
    activeSeconds: 120,
    perVlan: false,
    tally,
    laneCounters: lanes.counters(0),
    lanes,
    emit: (record) =>
      flows.add(`${key.toString('latin1', 0, writeFlowKey(record, key, 0))} ${record.communityId}`),
    sha1Base64: (bytes) => createHash('sha1').update(bytes).digest('base64'),
    names: undefined,
  });
  const receiver = new Receiver({
    ports: defaultPorts,
    admission: new Admission(admitAll),
    lanes,
    worker: 0,
    tally: new Float64Array(TALLY_LENGTH),
    verifyChecksums: 'all',
    analysis: new Analysis({
      innermost: new InnermostReader({
        tally,
        fragments: new FragmentTable({ tally, entries: 4096, timeoutSeconds: 30 }),
      }),
      interfaces: new InterfaceTable(64),
      duplicates: undefined,
      dropDuplicates: false,
      flows: table,
      order: undefined,
    }),
  });
  return { receiver, lanes, table, flows };
}

/** What was delivered, as a sink copies it. */
function blockWith(batch: PacketBatch, lanes: LaneDirectory): Buffer {
  const slots = Array.from(batch.delivered.subarray(0, batch.deliveredCount));
  const bytes = slots.reduce(
    (sum, slot) => sum + LANE_ENTRY_BYTES + packetEntryBytes(batch.frameEnd[slot]! - batch.frameAt[slot]!),
    0,
  );
  const block = blockOf(Buffer.alloc(bytes));
  let at = 0;
  for (const slot of slots) {
    const lane = batch.lane[slot]!;
    at = writePacket(block, writeLane(block, at, lane, lanes.lane(lane)), batch, slot);
  }
  return block.bytes;
}

test('packets of hostile traffic have the keys of their flows, and their Community IDs unless they are fragments', () => {
  const { receiver, lanes, table, flows } = receiverWithFlows();
  const traffic = new HostileTraffic(new Seeded(23), false);
  const batch = new PacketBatch(256, Buffer.alloc(1_048_576));
  const encoder = new FrameRecords(TOPIC, encoderOptions());
  const told = new Set<string>();
  const keys = new Set<string>();
  const [reader, innermost] = [new InnerFrameReader(), new Innermost()];
  let packets = 0;
  for (let round = 0; round < 25; round++) {
    traffic.writeTo(batch);
    receiver.process(batch);
    const encoded = encoder.encode([blockWith(batch, lanes)], new Map([[TOPIC, 12]]));
    const records = recordsOf(encoded);
    expect(records.length).toBe(batch.deliveredCount);
    packets += records.length;
    for (const record of records) {
      keys.add(record.key.toString());
      const headers = headersOf(record);
      const id = headers['community-id'];
      // which lane a fragment is of, only the receiver knows: behind it, another lane's first fragment may be found
      if (id === undefined || isFragment(reader, innermost, record.value, headers['link-type'])) continue;
      told.add(`${record.key.toString()} ${id}`);
    }
  }
  while (table.end(1000) > 0);
  expect(packets).toBeGreaterThan(3000);
  expect(flows.size).toBeGreaterThan(300);
  expect(told.size).toBeGreaterThan(300);
  const withIp = [...keys].filter((key) => key.includes('/'));
  expect(new Set(withIp)).toEqual(new Set(Array.from(flows, (text) => text.split(' ')[0])));
  expect([...told].filter((text) => !flows.has(text))).toEqual([]);
});

function isFragment(
  reader: InnerFrameReader,
  innermost: Innermost,
  frame: Buffer,
  linkType?: string,
): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  reader.read(frame, view, 0, frame.length, Number(linkType) as LinkType, 0, innermost);
  return innermost.fragment === 1;
}
