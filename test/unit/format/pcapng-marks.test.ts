import { expect, test } from 'vitest';
import { PacketFlag } from '../../../src/format/pcapng-encoder.ts';
import { packetFlags, packetRemarks } from '../../../src/format/pcapng-marks.ts';
import { PacketRemark } from '../../../src/format/pcapng-remark.ts';
import { Mark } from '../../../src/packet/mark.ts';
import { Verdict } from '../../../src/packet/verdict.ts';

const { ingress, egress, repaired, late, duplicate, none } = Mark;
const both = PacketRemark.repaired | PacketRemark.late;
const rows = [
  { marks: none, verdict: Verdict.valid, flags: PacketFlag.none, remarks: 0 },
  { marks: none, verdict: Verdict.partial, flags: PacketFlag.checksumNotReady, remarks: 0 },
  { marks: ingress, verdict: Verdict.none, flags: PacketFlag.inbound, remarks: 0 },
  {
    marks: egress,
    verdict: Verdict.partial,
    flags: PacketFlag.outbound | PacketFlag.checksumNotReady,
    remarks: 0,
  },
  {
    marks: repaired | duplicate,
    verdict: Verdict.valid,
    flags: PacketFlag.none,
    remarks: PacketRemark.repaired,
  },
  { marks: late | egress, verdict: Verdict.bad, flags: PacketFlag.outbound, remarks: PacketRemark.late },
  { marks: late | repaired, verdict: Verdict.bad, flags: PacketFlag.none, remarks: both },
];

test.each(rows)('marks $marks, verdict $verdict: flags $flags, remarks $remarks', (row) => {
  expect(packetFlags(row.marks, row.verdict)).toBe(row.flags);
  expect(packetRemarks(row.marks)).toBe(row.remarks);
});
