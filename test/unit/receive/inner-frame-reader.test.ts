import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PcapngDecoder } from '../../../src/format/pcapng-decoder.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import { Innermost } from '../../../src/packet/innermost.ts';
import { Layers } from '../../../src/packet/layers.ts';
import type { LinkType } from '../../../src/packet/link-type.ts';
import { Admission } from '../../../src/receive/admission.ts';
import { Analysis } from '../../../src/receive/analysis.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../../src/receive/analysis-tally.ts';
import { InterfaceTable } from '../../../src/receive/flows/interface-table.ts';
import { FragmentTable } from '../../../src/receive/fragment-table.ts';
import { InnerFrameReader } from '../../../src/receive/inner-frame-reader.ts';
import { readInner } from '../../../src/receive/inner.ts';
import { InnermostReader } from '../../../src/receive/innermost.ts';
import { allocateLanes } from '../../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../../src/receive/lanes.ts';
import { Receiver } from '../../../src/receive/receiver.ts';
import { TALLY_LENGTH } from '../../../src/receive/tally.ts';
import { measure } from '../../../src/receive/verdict.ts';
import { fragmentsOf, type HostileFrame, nestedFrame, single } from '../../support/hostile-frames.ts';
import { HostileTraffic } from '../../support/hostile-traffic.ts';
import { admitAll, defaultPorts } from '../../support/receiving.ts';
import { Seeded } from '../../support/seeded.ts';

const SECONDS = 1_700_000_000;

function innermostReader(): InnermostReader {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  return new InnermostReader({
    tally,
    fragments: new FragmentTable({ tally, entries: 4096, timeoutSeconds: 30 }),
  });
}

/** Reads all frames of a batch, whose outer columns tell of inner frames, both ways. */
function expectSame(batches: readonly PacketBatch[]): number {
  const reader = new InnerFrameReader();
  const expectedReader = innermostReader();
  const layers = new Layers();
  let withPorts = 0;
  for (const batch of batches) {
    for (let slot = 0; slot < batch.count; slot++) {
      const [found, expected] = [new Innermost(), new Innermost()];
      const { bytes, view } = batch;
      layers.linkType = batch.linkType[slot] as LinkType;
      layers.frameAt = batch.at[slot]!;
      layers.frameEnd = batch.end[slot]!;
      readInner(bytes, layers);
      expectedReader.read(bytes, view, layers, batch.seconds[slot]!, expected);
      const [at, end] = [layers.frameAt, layers.frameEnd];
      const isCut = reader.read(bytes, view, at, end, layers.linkType, batch.seconds[slot]!, found);
      measure(layers);
      expect(isCut).toBe(layers.truncated === 1);
      expect(found).toEqual(expected);
      if (found.sourcePort !== 0) withPorts++;
    }
  }
  return withPorts;
}

function batchOf(frames: readonly HostileFrame[]): PacketBatch {
  const batch = new PacketBatch(frames.length, Buffer.concat(frames.map(({ bytes }) => bytes)));
  let at = 0;
  for (const [slot, { bytes }] of frames.entries()) {
    batch.at[slot] = at;
    batch.end[slot] = at += bytes.length;
    batch.linkType[slot] = 1;
    batch.seconds[slot] = SECONDS;
  }
  batch.count = frames.length;
  return batch;
}

test('the frames of a capture are read as flows read them', () => {
  const block = readFileSync(join(import.meta.dirname, '../../../samples/traffic.pcapng'));
  const batch = new PacketBatch(1000, block);
  new PcapngDecoder().decode(batch, 0, block.length);
  expect(batch.count).toBeGreaterThan(50);
  expect(expectSame([batch])).toBeGreaterThan(20);
});

test('fragments and tunnels are read as flows read them: later fragments have the ports of their first', () => {
  const random = new Seeded(7);
  const frames = Array.from({ length: 300 }, () => [...fragmentsOf(random), single(random)]).flat();
  const nested = frames.slice(0, 100).map((frame) => nestedFrame(random, frame));
  expect(expectSame([batchOf(frames), batchOf(nested)])).toBeGreaterThan(1000);
});

/** Keeps what the receiver's own reader found last. */
class Witness extends InnermostReader {
  readonly found: Innermost[] = [];

  override read(...[bytes, view, layers, seconds, out]: Parameters<InnermostReader['read']>): void {
    super.read(bytes, view, layers, seconds, out);
    this.found.push(Object.assign(new Innermost(), out));
  }
}

test('behind the receiver, whole packets of hostile traffic have the innermost packet that it found', () => {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const fragments = new FragmentTable({ tally, entries: 64, timeoutSeconds: 30 });
  const witness = new Witness({ tally, fragments });
  const lanes = new LaneDirectory(allocateLanes(64, 1));
  const receiver = new Receiver({
    ports: defaultPorts,
    admission: new Admission(admitAll),
    lanes,
    worker: 0,
    tally: new Float64Array(TALLY_LENGTH),
    verifyChecksums: 'off',
    analysis: new Analysis({
      innermost: witness,
      interfaces: new InterfaceTable(64),
      duplicates: undefined,
      dropDuplicates: false,
      flows: undefined,
      order: undefined,
    }),
  });
  const traffic = new HostileTraffic(new Seeded(11), false);
  const batch = new PacketBatch(256, Buffer.alloc(1_048_576));
  const reader = new InnerFrameReader();
  let compared = 0;
  for (let round = 0; round < 20; round++) {
    traffic.writeTo(batch);
    witness.found.length = 0;
    receiver.process(batch);
    expect(witness.found.length).toBe(batch.deliveredCount);
    for (const [i, expected] of witness.found.entries()) {
      const slot = batch.delivered[i]!;
      const found = new Innermost();
      const { linkType } = lanes.lane(batch.lane[slot]!);
      const [at, end] = [batch.frameAt[slot]!, batch.frameEnd[slot]!];
      reader.read(batch.bytes, batch.view, at, end, linkType, batch.seconds[slot]!, found);
      // which lane a fragment is of, only the receiver knows
      if (expected.fragment === 1) continue;
      expect(found).toEqual(expected);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(1000);
});
