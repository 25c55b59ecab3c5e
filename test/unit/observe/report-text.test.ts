import { expect, test } from 'vitest';
import { noClosedLanes } from '../../../src/observe/report.ts';
import { analysisTotals } from '../../../src/app/analysis-totals.ts';
import { allocateMemory } from '../../../src/app/shared-memory.ts';
import { reportText } from '../../../src/observe/report-text.ts';
import { sampleLane, sampleReport } from '../../support/sample-report.ts';

test('the text says what the report says, in aligned tables', () => {
  const overflow = { ...sampleLane(7), name: 'overflow', encapsulation: 'none', vni: null };
  const many = { ...sampleLane(1_000_000), fileCount: 3, files: ['b.pcapng', 'c.pcapng'] };
  expect(`\n${reportText(sampleReport([overflow, many]))}`).toMatchInlineSnapshot(`
    "
    Input: 120 packets, 31000 bytes

    Ledger                 packets  UDP payload bytes
    received                   120              30000
      delivered                 98              24500
      not a tunnel               5               1250
      filtered                   6               1500
        by source                1
        by mirror source         2
        by VNI                   3
      duplicate                  2                500
      fault vxlanNoVni           3                750
      fault geneveVersion        1                250
      held                       4               1000
      lost with a worker         1                250

    The ledger adds up in packets.
    The ledger adds up in bytes.
    Dropped by the kernel, outside the ledger: 11 packets.
    Reserved bits set, ignored: 7 packets.
    GENEVE without VXLAN: 2 packets. Production traffic is routed here and ends here.

    Lane         encapsulation      VNI  link type  packets  bytes  wire bytes  truncated  snapped  reordered  first                           last
    overflow     none                 -  ethernet        98  20500       21100          3        1          2  2019-06-27T10:00:00.000000000Z  2019-06-27T10:00:05.250000000Z
    vni-1000000  vxlan          1000000  ethernet        98  20500       21100          3        1          2  2019-06-27T10:00:00.000000000Z  2019-06-27T10:00:05.250000000Z
    Idle and closed before: 1 lanes, 8 packets, 900 bytes.

    Checksums    IP valid  bad  unverifiable  transport valid  partial  zero  bad  unverifiable
    overflow           97    1             0               80       10     2    1             5
    vni-1000000        97    1             0               80       10     2    1             5

    Analysis
      Flows: 61 opened, 6 open, 70 records; ended: 30 idle, 15 fin, 5 rst, 1 evicted, 4 end
      Of no flow: 9 packets, not IP or cut before their addresses
      Names that found no place: 8
      TCP gaps that found no place: 7
      Fragments: 20 packets, 10 given the ports of their first, 11 without, 12 overlapping, 13 tiny, 14 forgotten
      Tunnels inside: 21 packets, 2 nested too deep
      Duplicates: 23 found, 3 packets forgotten too early
      Order: 28 reordered, 16 late, 17 gaps, 18 released early, 19 held, 22 streams forgotten
      Reordered by: 2: 1, 3 to 4: 2, 5 to 8: 3, 9 to 16: 4, 17 to 32: 5, 33 to 64: 6, from 65 on: 7
      Lost upstream: 0.12 % of 2,469,204 bytes that were acknowledged never came; 7 of 83 TCP flows were one-sided.
        overflow: 0.12 % of 1,234,567 bytes that were acknowledged never came; 3 of 40 TCP flows were one-sided.
        vni-1000000: 0.12 % of 1,234,567 bytes that were acknowledged never came; 3 of 40 TCP flows were one-sided.

    Files of     name
    overflow     vni-7.pcapng
    vni-1000000  b.pcapng
                 c.pcapng
                 and 1 older

    Sink      kind   delivered  written  filtered  pending  pending bytes  dropped
    captures  files         98       90         1        3            300  4 queueFull
    "
  `);
});

test('a report of nothing is short and adds up', () => {
  const none = { received: 0, delivered: 0, notTunnel: 0, filtered: 0, duplicate: 0, fault: {}, held: 0 };
  const ledger = { ...none, dropped: { kernel: 0, worker: 0 } };
  const text = reportText({
    input: { packets: 0, bytes: 0 },
    ledger,
    ledgerBytes: ledger,
    filteredBy: { source: 0, mirrorSource: 0, vni: 0 },
    reservedBits: 0,
    misrouted: 0,
    ...analysisTotals(allocateMemory(1, 1, [])),
    closedLanes: noClosedLanes,
    lanes: [],
    sinks: [],
  });
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    Input: 0 packets, 0 bytes

    Ledger                packets  UDP payload bytes
    received                    0                  0
      delivered                 0                  0
      not a tunnel              0                  0
      filtered                  0                  0
      duplicate                 0                  0
      held                      0                  0
      lost with a worker        0                  0

    The ledger adds up in packets.
    The ledger adds up in bytes.
    Dropped by the kernel, outside the ledger: 0 packets.
    Reserved bits set, ignored: 0 packets.

    No lane.
    "
  `);
});

test('a ledger that does not add up is said', () => {
  const report = sampleReport();
  const text = reportText({ ...report, ledger: { ...report.ledger, received: 130 } });
  expect(text).toContain('The ledger is off by 10 packets.');
  expect(text).toContain('The ledger adds up in bytes.');
});
