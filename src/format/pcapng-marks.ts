import * as packetMarks from '../packet/mark.ts';
import * as verdicts from '../packet/verdict.ts';
import * as encoder from './pcapng-encoder.ts';
import * as remarks from './pcapng-remark.ts';

// for speed: see "Constants" in src/README.md
const { Mark } = packetMarks;
const { Verdict } = verdicts;
const { PacketFlag } = encoder;
const { PacketRemark } = remarks;

const REMARKABLE = Mark.repaired | Mark.late;

/** Sum of `PacketFlag` values of a packet with these `Mark` bits and this verdict of its transport checksum. */
export function packetFlags(marks: number, transportVerdict: number): number {
  let flags: number = transportVerdict === Verdict.partial ? PacketFlag.checksumNotReady : PacketFlag.none;
  if ((marks & Mark.ingress) !== 0) flags |= PacketFlag.inbound;
  else if ((marks & Mark.egress) !== 0) flags |= PacketFlag.outbound;
  return flags;
}

/** Sum of `PacketRemark` values of a packet with these `Mark` bits. */
export function packetRemarks(marks: number): number {
  if ((marks & REMARKABLE) === 0) return PacketRemark.none;
  return (
    ((marks & Mark.repaired) === 0 ? PacketRemark.none : PacketRemark.repaired) |
    ((marks & Mark.late) === 0 ? PacketRemark.none : PacketRemark.late)
  );
}
