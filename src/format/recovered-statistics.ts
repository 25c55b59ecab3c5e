import { BlockType, END_OF_OPTIONS, MIN_BLOCK_BYTES, OPTION_HEADER_BYTES, padded } from './pcapng-block.ts';
import type { WalkedInterface, WalkedTime } from './walked-interface.ts';

const COMMENT = 1;
const ISB_STARTTIME = 2;
const ISB_ENDTIME = 3;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;
const FIXED_BYTES = 12;
const OPTION_U64_BYTES = OPTION_HEADER_BYTES + 8;

/** What the statistics of a file say that another process has finished. */
const REMARK =
  'Finished by a later mirrortap: the one that captured ended before. Packets are those in this file; how many were dropped is not known.';

/**
 * The interface statistics block of an interface of a file that was left unfinished. `isb_ifdrop` is left out where nobody
 * can know it any more, and a comment says so.
 *
 * Source: draft-ietf-opsawg-pcapng, section 4.6.
 */
export function recoveredStatistics(id: number, found: WalkedInterface): Buffer {
  const { first, last, packets, dropped } = found;
  const remark = dropped === undefined ? Buffer.from(REMARK) : Buffer.alloc(0);
  const options: Buffer[] = [
    ...(remark.length === 0 ? [] : [optionText(COMMENT, remark)]),
    ...(packets === 0 ? [] : [optionTime(ISB_STARTTIME, first), optionTime(ISB_ENDTIME, last)]),
    optionU64(ISB_IFRECV, BigInt(packets + (dropped ?? 0))),
    ...(dropped === undefined ? [] : [optionU64(ISB_IFDROP, BigInt(dropped))]),
    optionText(END_OF_OPTIONS, Buffer.alloc(0)),
  ];
  const body = Buffer.concat(options);
  const length = MIN_BLOCK_BYTES + FIXED_BYTES + body.length;
  const block = Buffer.alloc(length);
  block.writeUInt32LE(BlockType.interfaceStatistics, 0);
  block.writeUInt32LE(length, 4);
  block.writeUInt32LE(id, 8);
  putTime(block, 12, last);
  body.copy(block, 20);
  block.writeUInt32LE(length, length - 4);
  return block;
}

function optionText(code: number, value: Buffer): Buffer {
  const option = Buffer.alloc(OPTION_HEADER_BYTES + padded(value.length));
  option.writeUInt16LE(code, 0);
  option.writeUInt16LE(value.length, 2);
  value.copy(option, OPTION_HEADER_BYTES);
  return option;
}

function optionU64(code: number, value: bigint): Buffer {
  const option = Buffer.alloc(OPTION_U64_BYTES);
  option.writeUInt16LE(code, 0);
  option.writeUInt16LE(8, 2);
  option.writeBigUInt64LE(value, OPTION_HEADER_BYTES);
  return option;
}

function optionTime(code: number, time: WalkedTime): Buffer {
  const option = optionU64(code, 0n);
  putTime(option, OPTION_HEADER_BYTES, time);
  return option;
}

/** A time as nanoseconds in two halves, the high one first. */
function putTime(out: Buffer, at: number, { seconds, nanoseconds }: WalkedTime): void {
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  out.writeUInt32LE(Number(time >> 32n), at);
  out.writeUInt32LE(Number(time & 0xffff_ffffn), at + 4);
}
