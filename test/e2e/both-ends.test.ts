import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { bothEnds, type MirrorEnd } from '../support/both-ends.ts';
import { runCommand } from '../support/command.ts';
import { type FlowLine, flowLines, summed } from '../support/flow-lines.ts';
import { recordedTcp } from '../support/recorded-tcp.ts';
import { withFolder } from '../support/tshark.ts';

/** Connections of a real kernel, with retransmissions, mirrored at one end and at both. */

const frames = recordedTcp();

function decapped(
  ends: readonly MirrorEnd[],
  ...args: readonly string[]
): Promise<{ report: Report; flows: FlowLine[] }> {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, 'mirrored.pcap'), bothEnds(frames, ends));
    const flows = join(folder, 'flows.ndjson');
    const out = ['--out', join(folder, 'lanes'), '--flows', flows];
    const command = ['decap', join(folder, 'mirrored.pcap'), ...out, '--report', 'json', ...args];
    const { status, stdout, stderr } = await runCommand(command);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(ledgerDifference(report)).toBe(0);
    expect(ledgerBytesDifference(report)).toBe(0);
    return { report, flows: flowLines(readFileSync(flows, 'utf8')) };
  });
}

const near: MirrorEnd = { mirrorSource: 1, vni: 42 };
const far: MirrorEnd = { mirrorSource: 2, vni: 42 };
const id = ({ network }: FlowLine): string => network.community_id;

/**
 * Segments that did not come in their turn, by conversation. Which of them were sent again and which were late follows from
 * times and acknowledgements, and those are seen elsewhere where packets are seen at their sender's end.
 */
function outOfTurn(flows: readonly FlowLine[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const flow of flows) {
    const tcp = flow.mirrortap['tcp'] as Record<'source' | 'destination', Record<string, number>>;
    for (const { retransmissions = 0, out_of_order: late = 0 } of [tcp.source, tcp.destination]) {
      sums[id(flow)] = (sums[id(flow)] ?? 0) + retransmissions + late;
    }
  }
  return sums;
}

test('one end: what the kernel sent again is no duplicate', async () => {
  const { report, flows } = await decapped([near], '--dedup');
  expect(report.ledger).toMatchObject({ received: frames.length, delivered: frames.length, duplicate: 0 });
  const again = Object.values(outOfTurn(flows)).reduce((all, one) => all + one, 0);
  expect(again).toBeGreaterThan(100);
});

describe.each([
  ['one VNI', far],
  ['two VNIs', { ...far, vni: 43 }],
])('both ends, %s', (_name, other) => {
  test('each packet is there once: all copies are found, and flows are those of one end', async () => {
    const alone = await decapped([near]);
    const { report, flows } = await decapped([near, other], '--dedup');
    const packets = frames.length;
    expect(report.ledger).toMatchObject({ received: 2 * packets, delivered: packets, duplicate: packets });
    expect(summed(flows, id)).toEqual(summed(alone.flows, id));
    expect(outOfTurn(flows)).toEqual(outOfTurn(alone.flows));
    const copies = flows.reduce((sum, { mirrortap }) => sum + (mirrortap.duplicate_packets ?? 0), 0);
    expect(copies).toBe(packets);
    expect(flows.length).toBe(alone.flows.length);
  });

  test('in order: what came first from one end is not missing among the packets of the other', async () => {
    const alone = await decapped([near], '--reorder');
    // of each packet now the one copy is first, now the other
    const ends = [near, other].map((end, i) => ({
      ...end,
      delayUs: (frame: number) => (frame % 2 === i ? 50 : 0),
    }));
    const { report } = await decapped(ends, '--dedup', '--reorder');
    expect(report.ledger).toMatchObject({ delivered: frames.length, duplicate: frames.length });
    const gaps = ({ lanes }: Report): number => lanes.reduce((sum, lane) => sum + lane.gaps + lane.late, 0);
    expect(gaps(report)).toBe(gaps(alone.report));
    expect(report.lanes.reduce((sum, { reordered }) => sum + reordered, 0)).toBeGreaterThan(100);
  });

  test('marked copies are kept where nobody drops them', async () => {
    const { report } = await decapped([near, other], '--set', 'analysis.duplicates.detect=on');
    expect(report.ledger).toMatchObject({ delivered: 2 * frames.length, duplicate: 0 });
    expect(report.lanes.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(frames.length);
    expect(report.sinks[0]).toMatchObject({ kind: 'files', written: 2 * frames.length, filtered: 0 });
  });
});

test('two VNIs that are not one: with acrossVnis off nothing is a copy', async () => {
  const { report } = await decapped(
    [near, { ...far, vni: 43 }],
    '--dedup',
    '--set',
    'analysis.duplicates.acrossVnis=false',
  );
  expect(report.ledger).toMatchObject({ delivered: 2 * frames.length, duplicate: 0 });
});
