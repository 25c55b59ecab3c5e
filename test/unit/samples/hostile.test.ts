import { expect, test } from 'vitest';
import { hostilePackets } from '../../../samples/make/hostile.ts';
import type { Outcome } from '../../../samples/make/hostile-packet.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { Admission } from '../../../src/receive/admission.ts';
import { allocateLanes } from '../../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../../src/receive/lanes.ts';
import { tunnelPorts } from '../../../src/receive/outer.ts';
import { Receiver } from '../../../src/receive/receiver.ts';
import { Tally, TALLY_LENGTH } from '../../../src/receive/tally.ts';
import { faultNames } from '../../../src/wire/fault.ts';

/** The bucket that the receiver puts one packet into. */
function outcome(bytes: Buffer): string {
  const tally = new Float64Array(TALLY_LENGTH);
  const receiver = new Receiver({
    ports: tunnelPorts([4789], [6081]),
    admission: new Admission({ sources: [], mirrorSources: [], vnis: [] }),
    lanes: new LaneDirectory(allocateLanes(16, 1)),
    worker: 0,
    tally,
    verifyChecksums: 'all',
  });
  const batch = new PacketBatch(1, bytes);
  batch.end[0] = batch.wireLen[0] = bytes.length;
  batch.linkType[0] = LinkType.ethernet;
  batch.count = 1;
  receiver.process(batch);

  expect(tally[Tally.received]).toBe(1);
  if (tally[Tally.delivered] === 1) return 'delivered';
  if (tally[Tally.notTunnel] === 1) return 'notTunnel';
  return faultNames.find((_, fault) => tally[Tally.fault + 2 * fault] === 1) ?? 'nothing';
}

test.each(hostilePackets())('$what: $outcome', ({ bytes, outcome: expected }) => {
  expect(outcome(bytes)).toBe(expected);
});

test('there is a packet for every fault', () => {
  const shown = new Set<Outcome>(hostilePackets().map((packet) => packet.outcome));
  expect([...shown].toSorted()).toEqual(
    [...faultNames.filter((name) => name !== 'none'), 'delivered', 'notTunnel'].toSorted(),
  );
});
