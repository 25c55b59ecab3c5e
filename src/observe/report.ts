import type { AnalysisReport, UpstreamCounts } from './analysis-report.ts';

/**
 * The report of `decap`, of a stopped `receive`, and what every scrape is made from. This file says what it
 * holds; `app` fills it from the counters. Its JSON is a stable interface, described in docs/report.md.
 */
export interface Report extends AnalysisReport {
  /** What entered the process: packets, and the bytes of the outer packets as the input saw them. */
  readonly input: { readonly packets: number; readonly bytes: number };
  /** Packets, each in exactly one bucket. */
  readonly ledger: Ledger;
  /** The same buckets in bytes of UDP payload: 0 for packets that are not UDP. */
  readonly ledgerBytes: Ledger;
  /** `ledger.filtered` by what refused the packet. */
  readonly filteredBy: FilteredBy;
  /** Packets with a bit set that its standard reserves. They went on like any other. */
  readonly reservedBits: number;
  /** GENEVE packets without VXLAN inside that came while `behind` is `gwlb`: production traffic routed here. */
  readonly misrouted: number;
  /** Lanes that were freed after `laneIdleSeconds`: they are in the ledger, but no longer under `lanes`. */
  readonly closedLanes: ClosedLanes;
  readonly lanes: readonly LaneReport[];
  readonly sinks: readonly SinkReport[];
}

/** What lanes that were closed had counted. */
export interface ClosedLanes {
  readonly count: number;
  readonly packets: number;
  readonly bytes: number;
  /** Also what their flows counted after that. */
  readonly upstream: UpstreamCounts;
}

/** No lane was closed. */
export const noClosedLanes: ClosedLanes = {
  count: 0,
  packets: 0,
  bytes: 0,
  upstream: { tcpFlows: 0, oneSidedFlows: 0, ackedBytes: 0, unseenBytes: 0 },
};

/** `received = delivered + notTunnel + filtered + duplicate + Σ fault + held + dropped.worker`, at any moment. */
export interface Ledger {
  readonly received: number;
  /** Handed to the sinks. */
  readonly delivered: number;
  /** Not UDP, or to a port that is no tunnel port. */
  readonly notTunnel: number;
  /** Refused by admission. */
  readonly filtered: number;
  readonly duplicate: number;
  /** By name of `wire/fault.ts`, only those that occurred. */
  readonly fault: Readonly<Record<string, number>>;
  /** Waiting in the resequencer. */
  readonly held: number;
  readonly dropped: {
    /** Never reached the process, hence outside the sum. */
    readonly kernel: number;
    /** Lost with a worker that died. */
    readonly worker: number;
  };
}

export interface FilteredBy {
  /** The outer source address is not in `admission.sources`. */
  readonly source: number;
  /** The mirror source is not in `admission.mirrorSources`. */
  readonly mirrorSource: number;
  /** The VNI is not in `admission.vnis`. */
  readonly vni: number;
}

export interface LaneReport {
  readonly name: string;
  /** `vxlan`, `geneve` or `geneve+vxlan`; `none` for the overflow lane. */
  readonly encapsulation: string;
  /** `null` for the overflow lane. */
  readonly vni: number | null;
  /** 16 lower-case hex digits; left out where packets carry no endpoint. */
  readonly gwlbEndpointId?: string;
  readonly linkType: 'ethernet' | 'raw';
  readonly packets: number;
  /** Inner bytes that arrived. */
  readonly bytes: number;
  /** Inner bytes before anything cut them. */
  readonly wireBytes: number;
  /** Frames that promise more bytes than arrived. */
  readonly truncated: number;
  /** Frames whose outer datagram is incomplete: the capture cut them, not the mirror. */
  readonly snapped: number;
  readonly reordered: number;
  /** Packets that left the resequencer after a later one of their flow. */
  readonly late: number;
  /** Places in a sequence that the resequencer gave up waiting for. */
  readonly gaps: number;
  /** Copies that another mirror source, or a session of another VNI, had delivered before. */
  readonly duplicates: number;
  readonly upstream: UpstreamCounts;
  readonly checksum: {
    readonly ip: IpChecksums;
    readonly transport: TransportChecksums;
  };
  /** Arrival of the earliest and the latest packet, as `isoTimestamp` writes it. */
  readonly first: string;
  readonly last: string;
  /** All files that were written, also those that retention has deleted since. */
  readonly fileCount: number;
  /** The newest `REPORT_FILES_MAX` of them, oldest first, relative to the output folder. */
  readonly files: readonly string[];
}

/** Inner IPv4 headers by verdict. */
export interface IpChecksums {
  readonly valid: number;
  readonly bad: number;
  readonly unverifiable: number;
}

/** Inner TCP, UDP, ICMP and ICMPv6 by verdict. */
export interface TransportChecksums extends IpChecksums {
  readonly partial: number;
  readonly zero: number;
}

/** `delivered = written + filtered + Σ dropped + pending`. */
export interface SinkReport {
  /** The user's name for the sink. */
  readonly name: string;
  readonly kind: string;
  readonly delivered: number;
  readonly written: number;
  readonly filtered: number;
  /** By reason, only those that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly pending: number;
  /** Bytes of the packets that are pending. */
  readonly pendingBytes: number;
  /** What its kind counts besides, all names, also those that are 0; left out where it counts nothing more. */
  readonly counters?: Readonly<Record<string, number>>;
}

/** Most file names that a lane of the report lists. */
export const REPORT_FILES_MAX = 1000;

/** The report for programs: one JSON object on one line, so that it can be told from log lines beside it. */
export function reportJson(report: Report): string {
  return `${JSON.stringify(report)}\n`;
}

/** Packets that were received and are in no bucket; 0 when the ledger adds up, negative when one is in two. */
export function ledgerDifference(report: Report): number {
  return difference(report.ledger);
}

/** `ledgerDifference` for `ledgerBytes`. */
export function ledgerBytesDifference(report: Report): number {
  return difference(report.ledgerBytes);
}

function difference(ledger: Ledger): number {
  const { received, delivered, notTunnel, filtered, duplicate, fault, held, dropped } = ledger;
  return received - delivered - notTunnel - filtered - duplicate - sum(fault) - held - dropped.worker;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
