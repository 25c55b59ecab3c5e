import type {
  UpstreamCounts,
  DuplicateCounts,
  FlowCounts,
  FragmentCounts,
  NestedCounts,
  OrderCounts,
} from './analysis-report.ts';
import {
  badChecksums,
  isTooMuch,
  judgedChecksums,
  percent,
  thousands,
  upstreamSentence,
} from './lane-warnings.ts';
import type { LaneReport, Report } from './report.ts';

/** Most lanes that are told one by one. */
const LANES_TOLD_MAX = 10;

/** What analysis found, for people: a line for each thing of which something was found. */
export function analysisLines(report: Report): string[] {
  const { flows, fragments, nested, duplicates, order, lanes, closedLanes } = report;
  return [
    ...flowLines(flows),
    ...fragmentLines(fragments),
    ...nestedLines(nested),
    ...duplicateLines(duplicates),
    ...orderLines(order),
    ...upstreamLines(lanes, closedLanes.upstream),
    ...checksumLines(lanes),
  ];
}

function flowLines({ opened, active, records, ended, ...rest }: FlowCounts): string[] {
  const ends = counted(Object.entries(ended).map(([reason, flows]) => [flows, reason]));
  const flows = counted([
    [opened, 'opened'],
    [active, 'open'],
    [records, 'records'],
  ]);
  return [
    ...line('Flows', flows === '' || ends === '' ? flows : `${flows}; ended: ${ends}`),
    ...line('Of no flow', counted([[rest.withoutFlow, 'packets, not IP or cut before their addresses']])),
    ...line('Names that found no place', counted([[rest.namesDropped, '']])),
    ...line('TCP gaps that found no place', counted([[rest.gapsForgotten, '']])),
  ];
}

function fragmentLines({ packets, ...found }: FragmentCounts): string[] {
  return line(
    'Fragments',
    counted([
      [packets, 'packets'],
      [found.matched, 'given the ports of their first'],
      [found.unmatched, 'without'],
      [found.overlapping, 'overlapping'],
      [found.tiny, 'tiny'],
      [found.forgotten, 'forgotten'],
    ]),
  );
}

function nestedLines({ packets, tooDeep }: NestedCounts): string[] {
  return line(
    'Tunnels inside',
    counted([
      [packets, 'packets'],
      [tooDeep, 'nested too deep'],
    ]),
  );
}

function duplicateLines({ found, forgotten }: DuplicateCounts): string[] {
  return line(
    'Duplicates',
    counted([
      [found, 'found'],
      [forgotten, 'packets forgotten too early'],
    ]),
  );
}

function orderLines(order: OrderCounts): string[] {
  const { displacement } = order;
  const farthest = displacement.findLast(({ packets }) => packets > 0);
  return [
    ...line(
      'Order',
      counted([
        [order.reordered, 'reordered'],
        [order.late, 'late'],
        [order.gaps, 'gaps'],
        [order.releasedEarly, 'released early'],
        [order.heldPackets, 'held'],
        [order.streamsEvicted, 'streams forgotten'],
      ]),
    ),
    ...line('Reordered by', farthest === undefined ? '' : displaced(displacement)),
  ];
}

/** "12 by 1, 3 by 2 to 4, …": packets by how many others had come before them too early. */
function displaced(buckets: OrderCounts['displacement']): string {
  const texts = buckets.map(({ upTo, packets }, bucket): [number, string] => {
    const from = (buckets[bucket - 1]?.upTo ?? 0) + 1;
    if (upTo === null) return [packets, `from ${from} on`];
    return [packets, from === upTo ? `${from}` : `${from} to ${upTo}`];
  });
  return texts
    .filter(([packets]) => packets > 0)
    .map(([packets, by]) => `${by}: ${thousands(packets)}`)
    .join(', ');
}

function upstreamLines(lanes: readonly LaneReport[], ofClosedLanes: UpstreamCounts): string[] {
  const total = { ...ofClosedLanes };
  for (const { upstream } of lanes) {
    total.tcpFlows += upstream.tcpFlows;
    total.oneSidedFlows += upstream.oneSidedFlows;
    total.ackedBytes += upstream.ackedBytes;
    total.unseenBytes += upstream.unseenBytes;
  }
  if (total.tcpFlows === 0 && total.ackedBytes === 0) return [];
  const lossy = lanes.length < 2 ? [] : lanes.filter(({ upstream }) => upstream.unseenBytes > 0);
  lossy.sort((a, b) => b.upstream.unseenBytes - a.upstream.unseenBytes);
  return [
    `Lost upstream: ${upstreamSentence(total)}.`,
    ...lossy
      .slice(0, LANES_TOLD_MAX)
      .map(({ name, upstream }) => `  ${name}: ${upstreamSentence(upstream)}.`),
    ...more(lossy.length),
  ];
}

function checksumLines(lanes: readonly LaneReport[]): string[] {
  const lines: string[] = [];
  for (const { name, checksum } of lanes) {
    const judged = judgedChecksums(checksum.transport);
    const { bad } = checksum.transport;
    if (!isTooMuch(bad, judged, badChecksums)) continue;
    lines.push(`  ${name}: ${percent(bad, judged)} of ${thousands(judged)} transport checksums`);
  }
  if (lines.length === 0) return [];
  return [`Bad checksums. ${badChecksums.remedy}`, ...lines.slice(0, LANES_TOLD_MAX), ...more(lines.length)];
}

function more(lanes: number): string[] {
  return lanes > LANES_TOLD_MAX ? [`  and ${lanes - LANES_TOLD_MAX} more lanes`] : [];
}

function line(title: string, text: string): string[] {
  return text === '' ? [] : [`${title}: ${text}`];
}

/** Counts that are not 0, each with what it counts. */
function counted(counts: readonly (readonly [count: number, what: string])[]): string {
  return counts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${thousands(count)} ${what}`.trimEnd())
    .join(', ');
}
