import type { LaneReport, Report } from '../observe/report.ts';

/** One line of the lab's table. */
interface Row {
  readonly lane: string;
  readonly packets: string;
  readonly rate: string;
  readonly bytes: string;
  readonly cut: string;
  readonly checksums: string;
}

const HEADINGS: Row = {
  lane: 'lane',
  packets: 'packets',
  rate: 'packets/s',
  bytes: 'bytes',
  cut: 'cut',
  checksums: 'checksums',
};
const COLUMNS = ['lane', 'packets', 'rate', 'bytes', 'cut', 'checksums'] as const;

/** What the lab shows of a running appliance: a table of lanes, as lines of text. */
export class LabView {
  readonly #directory: string;
  #packetsBefore = new Map<string, number>();
  #beforeMs = 0;

  /** @param directory where the capture files are, as the user should read it */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param nowMs any clock, milliseconds: rates are since the last call */
  lines(report: Report, nowMs: number): string[] {
    const seconds = (nowMs - this.#beforeMs) / 1000;
    const rows = report.lanes.map((lane) => this.#row(lane, seconds));
    this.#packetsBefore = new Map(report.lanes.map(({ name, packets }) => [name, packets]));
    this.#beforeMs = nowMs;
    const widths = COLUMNS.map((column) => Math.max(...[HEADINGS, ...rows].map((row) => row[column].length)));
    const { received, delivered, dropped } = report.ledger;
    return [
      ...[HEADINGS, ...rows].map((row) =>
        COLUMNS.map((column, i) => align(column, row[column], widths[i] ?? 0)).join('  '),
      ),
      `received ${received}, delivered ${delivered}, dropped by the kernel ${dropped.kernel}`,
      `flows: ${report.flows.active} open, ${report.flows.records} records written`,
      `files: ${this.#directory}/<lane>/, records: ${this.#directory}/flows/`,
    ];
  }

  #row(lane: LaneReport, seconds: number): Row {
    const more = lane.packets - (this.#packetsBefore.get(lane.name) ?? 0);
    const { valid, partial, zero, bad } = lane.checksum.transport;
    return {
      lane: lane.name,
      packets: String(lane.packets),
      rate: this.#beforeMs === 0 ? '' : String(Math.round(more / Math.max(seconds, 0.001))),
      bytes: String(lane.bytes),
      cut: String(lane.truncated),
      checksums: `${valid} valid, ${partial} partial, ${zero} zero, ${bad} bad`,
    };
  }
}

/** Names and notes to the left, numbers to the right. */
function align(column: (typeof COLUMNS)[number], text: string, width: number): string {
  return column === 'lane' || column === 'checksums' ? text.padEnd(width) : text.padStart(width);
}
