import type { TransportChecksums } from './report.ts';
import type { UpstreamCounts } from './analysis-report.ts';

/** A part of a whole, and when it is worth a warning. */
export interface WarnedShare {
  /** A whole of less is not judged. */
  readonly least: number;
  /** The part of the whole that is still well. */
  readonly most: number;
  readonly message: string;
  readonly remedy: string;
}

/** Of transport checksums that could be judged, those that are bad. */
export const badChecksums: WarnedShare = {
  least: 100,
  most: 0.05,
  message: 'Many transport checksums of a lane are bad.',
  remedy:
    'Mirrored packets are taken before the network card fills checksums in. Switch that off at the mirrored instance (`ethtool -K <interface> tx off`), or let a sink complete them (`output.repair: all`).',
};

/** Of bytes that the receiver of a connection acknowledged, those that never came here. */
export const upstreamLoss: WarnedShare = {
  least: 1_000_000,
  most: 0.01,
  message: 'Packets of a lane are lost before they reach this host.',
  remedy:
    'AWS drops mirrored packets first when bandwidth is short. In CloudWatch look at NetworkSkipMirrorIn, NetworkSkipMirrorOut, NetworkPacketsSkipMirrorIn and NetworkPacketsSkipMirrorOut of the mirrored instance, and here at mirrortap_dropped_packets_total and mirrortap_host_dropped_packets_total. A larger instance, a shorter PacketLength or a narrower mirror filter helps.',
};

/** Packets whose transport checksum was judged. */
export function judgedChecksums({ valid, partial, zero, bad }: TransportChecksums): number {
  return valid + partial + zero + bad;
}

/** Whether this part of the whole is worth a warning. */
export function isTooMuch(part: number, whole: number, { least, most }: WarnedShare): boolean {
  return whole >= least && part > most * whole;
}

/** How much of the TCP payload was lost on the way here, in words. */
export function upstreamSentence({
  tcpFlows,
  oneSidedFlows,
  ackedBytes,
  unseenBytes,
}: UpstreamCounts): string {
  const lost =
    ackedBytes === 0
      ? 'no bytes were acknowledged between data that came'
      : `${percent(unseenBytes, ackedBytes)} of ${thousands(ackedBytes)} bytes that were acknowledged never came`;
  return `${lost}; ${thousands(oneSidedFlows)} of ${thousands(tcpFlows)} TCP flows were one-sided`;
}

/** A part of a whole that is not 0. */
export function percent(part: number, whole: number): string {
  const share = (100 * part) / whole;
  return share > 0 && share < 0.01 ? 'under 0.01 %' : `${share.toFixed(2)} %`;
}

export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}
