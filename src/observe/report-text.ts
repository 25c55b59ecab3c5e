import { analysisLines } from './analysis-text.ts';
import {
  ledgerBytesDifference,
  ledgerDifference,
  type LaneReport,
  type Report,
  type SinkReport,
} from './report.ts';

/** The report for people: the same numbers as the JSON, in aligned tables. Ends with a newline. */
export function reportText(report: Report): string {
  const parts = [ledgerPart, lanesPart, checksumsPart, analysisPart, filesPart, sinksPart].map((part) =>
    part(report),
  );
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function ledgerPart(report: Report): string {
  const { input, ledger, ledgerBytes, filteredBy } = report;
  const rows: Cell[][] = [
    ['received', ledger.received, ledgerBytes.received],
    ['  delivered', ledger.delivered, ledgerBytes.delivered],
    ['  not a tunnel', ledger.notTunnel, ledgerBytes.notTunnel],
    ['  filtered', ledger.filtered, ledgerBytes.filtered],
  ];
  if (filteredBy.source > 0) rows.push(['    by source', filteredBy.source]);
  if (filteredBy.mirrorSource > 0) rows.push(['    by mirror source', filteredBy.mirrorSource]);
  if (filteredBy.vni > 0) rows.push(['    by VNI', filteredBy.vni]);
  rows.push(['  duplicate', ledger.duplicate, ledgerBytes.duplicate]);
  for (const [name, packets] of Object.entries(ledger.fault)) {
    rows.push([`  fault ${name}`, packets, ledgerBytes.fault[name] ?? 0]);
  }
  rows.push(['  held', ledger.held, ledgerBytes.held]);
  rows.push(['  lost with a worker', ledger.dropped.worker, ledgerBytes.dropped.worker]);

  const lines = [`Input: ${input.packets} packets, ${input.bytes} bytes`, ''];
  lines.push(...grid([['Ledger', 'packets', 'UDP payload bytes'], ...rows]), '');
  lines.push(adding(ledgerDifference(report), 'packets'), adding(ledgerBytesDifference(report), 'bytes'));
  lines.push(`Dropped by the kernel, outside the ledger: ${ledger.dropped.kernel} packets.`);
  lines.push(`Reserved bits set, ignored: ${report.reservedBits} packets.`);
  if (report.misrouted > 0) {
    lines.push(
      `GENEVE without VXLAN: ${report.misrouted} packets. Production traffic is routed here and ends here.`,
    );
  }
  return lines.join('\n');
}

function adding(difference: number, unit: string): string {
  return difference === 0 ? `The ledger adds up in ${unit}.` : `The ledger is off by ${difference} ${unit}.`;
}

const laneColumns: readonly Column<LaneReport>[] = [
  ['Lane', (lane) => lane.name],
  ['encapsulation', (lane) => lane.encapsulation],
  ['VNI', (lane) => lane.vni ?? '-'],
  ['link type', (lane) => lane.linkType],
  ['packets', (lane) => lane.packets],
  ['bytes', (lane) => lane.bytes],
  ['wire bytes', (lane) => lane.wireBytes],
  ['truncated', (lane) => lane.truncated],
  ['snapped', (lane) => lane.snapped],
  ['reordered', (lane) => lane.reordered],
  ['first', (lane) => lane.first],
  ['last', (lane) => lane.last],
];

function lanesPart({ lanes, closedLanes }: Report): string {
  const lines = lanes.length === 0 ? ['No lane.'] : table(laneColumns, lanes);
  if (closedLanes.count > 0) {
    const { count, packets, bytes } = closedLanes;
    lines.push(`Idle and closed before: ${count} lanes, ${packets} packets, ${bytes} bytes.`);
  }
  return lines.join('\n');
}

const checksumColumns: readonly Column<LaneReport>[] = [
  ['Checksums', (lane) => lane.name],
  ['IP valid', (lane) => lane.checksum.ip.valid],
  ['bad', (lane) => lane.checksum.ip.bad],
  ['unverifiable', (lane) => lane.checksum.ip.unverifiable],
  ['transport valid', (lane) => lane.checksum.transport.valid],
  ['partial', (lane) => lane.checksum.transport.partial],
  ['zero', (lane) => lane.checksum.transport.zero],
  ['bad', (lane) => lane.checksum.transport.bad],
  ['unverifiable', (lane) => lane.checksum.transport.unverifiable],
];

function checksumsPart({ lanes }: Report): string {
  return lanes.length === 0 ? '' : table(checksumColumns, lanes).join('\n');
}

function analysisPart(report: Report): string {
  const lines = analysisLines(report);
  return lines.length === 0 ? '' : ['Analysis', ...lines.map((line) => `  ${line}`)].join('\n');
}

function filesPart({ lanes }: Report): string {
  const rows = lanes.flatMap((lane) => {
    const listed = lane.files.map((file, i) => [i === 0 ? lane.name : '', file]);
    const unlisted = lane.fileCount - lane.files.length;
    return unlisted > 0 ? [...listed, ['', `and ${unlisted} older`]] : listed;
  });
  return rows.length === 0 ? '' : grid([['Files of', 'name'], ...rows]).join('\n');
}

const sinkColumns: readonly Column<SinkReport>[] = [
  ['Sink', (sink) => sink.name],
  ['kind', (sink) => sink.kind],
  ['delivered', (sink) => sink.delivered],
  ['written', (sink) => sink.written],
  ['filtered', (sink) => sink.filtered],
  ['pending', (sink) => sink.pending],
  ['pending bytes', (sink) => sink.pendingBytes],
  ['dropped', (sink) => counted(sink.dropped)],
];

function sinksPart({ sinks }: Report): string {
  if (sinks.length === 0) return '';
  const further = sinks.flatMap(({ name, counters }) => {
    const told = Object.entries(counters ?? {}).filter(([, count]) => count > 0);
    return told.length === 0 ? [] : [`  ${name}: ${counted(Object.fromEntries(told))}`];
  });
  return [...table(sinkColumns, sinks), ...further].join('\n');
}

function counted(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none'
  );
}

type Cell = string | number;

/** A title and what stands under it for one row. */
type Column<Row> = readonly [title: string, read: (row: Row) => Cell];

function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  return grid([columns.map(([title]) => title), ...rows.map((row) => columns.map(([, read]) => read(row)))]);
}

/** Lines of equal columns. A column with a number in it is flush right, any other flush left. */
function grid(rows: readonly (readonly Cell[])[]): string[] {
  const widths: number[] = [];
  const numeric: boolean[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, String(cell).length);
      numeric[column] = numeric[column] === true || typeof cell === 'number';
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, column))
      .join('  ')
      .trimEnd(),
  );

  function pad(cell: Cell, column: number): string {
    const width = widths[column] ?? 0;
    return numeric[column] === true ? String(cell).padStart(width) : String(cell).padEnd(width);
  }
}
