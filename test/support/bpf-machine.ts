/**
 * Classic BPF as the kernel runs it (kernel documentation, networking/filter; net/core/filter.c): 32-bit arithmetic
 * without sign, and 0 as the result of a program that loads past the packet's end or divides by X = 0.
 */

const AD_OFF = 0xffff_f000;
const INSTRUCTION_BYTES = 8;
const MEMORY_WORDS = 16;

/** What the kernel knows of a packet besides its bytes, by SKF_AD_ offset (linux/filter.h). */
export type Ancillary = Readonly<Record<number, number>>;

/** SKF_AD_ offsets that tests set. */
export const Ad = { protocol: 0, packetType: 4, vlanTag: 44, vlanTagPresent: 48 } as const;

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export function disassemble(program: Uint8Array): Instruction[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: program.length / INSTRUCTION_BYTES }, (_, index) => {
    const byte = index * INSTRUCTION_BYTES;
    return {
      code: view.getUint16(byte, true),
      jt: view.getUint8(byte + 2),
      jf: view.getUint8(byte + 3),
      k: view.getUint32(byte + 4, true),
    };
  });
}

/** Thrown for a program that the kernel would refuse to take. */
export class Refused extends Error {}

/**
 * What the kernel looks at before it takes a program (bpf_check_classic): its length, that it ends, that jumps stay
 * inside, that nothing divides or shifts by an impossible constant, and that no word of memory is read before it was
 * written.
 */
export function verify(program: Uint8Array): void {
  const steps = disassemble(program);
  if (steps.length === 0 || steps.length > 4096) throw new Refused(`${steps.length} instructions`);
  if ((steps.at(-1)!.code & 7) !== 6) throw new Refused('does not end in ret');
  const written: number[] = steps.map(() => 0xffff);
  let now = 0;
  for (const [index, { code, jt, jf, k }] of steps.entries()) {
    now &= written[index]!;
    const reach = (skip: number): void => {
      if (index + 1 + skip >= steps.length) throw new Refused(`instruction ${index} jumps out`);
      written[index + 1 + skip]! &= now;
    };
    const group = code & 7;
    const usesMemory = group === 2 || group === 3 || ((group === 0 || group === 1) && (code & 0xe0) === 0x60);
    if (usesMemory && k >= MEMORY_WORDS) throw new Refused(`instruction ${index}: M[${k}]`);
    if (group === 2 || group === 3) now |= 1 << k;
    else if (usesMemory && (now & (1 << k)) === 0) throw new Refused(`instruction ${index} reads M[${k}]`);
    else if (group === 4 && (code & 8) === 0) refuseConstant(code & 0xf0, k, index);
    else if (group === 5) {
      if ((code & 0xf0) === 0) reach(k);
      else [jt, jf].forEach(reach);
      now = 0xffff;
    } else if (group === 6) now = 0xffff;
  }
}

function refuseConstant(operation: number, k: number, index: number): void {
  if ((operation === 0x30 || operation === 0x90) && k === 0) throw new Refused(`${index} divides by 0`);
  if ((operation === 0x60 || operation === 0x70) && k >= 32) throw new Refused(`${index} shifts by ${k}`);
}

const disassembled = new WeakMap<Uint8Array, Instruction[]>();

function stepsOf(program: Uint8Array): Instruction[] {
  let steps = disassembled.get(program);
  if (steps === undefined) {
    steps = disassemble(program);
    disassembled.set(program, steps);
  }
  return steps;
}

/** The end of a program that loads past the packet. */
const PAST_THE_END = -1;

/** What the program returns for this packet. */
export function run(program: Uint8Array, packet: Uint8Array, ancillary: Ancillary = {}): number {
  const steps = stepsOf(program);
  const memory = new Uint32Array(MEMORY_WORDS);
  let a = 0;
  let x = 0;
  for (let at = 0; ; at++) {
    const step = steps[at];
    if (step === undefined) throw new Error(`The program runs past its end, to ${at}.`);
    const { code, jt, jf, k } = step;
    const operand = (code & 8) === 0 ? k : x;
    switch (code & 7) {
      case 0:
      case 1: {
        const value = load(code, k, x, packet, memory, ancillary);
        if (value === PAST_THE_END) return 0;
        if ((code & 7) === 0) a = value;
        else x = value;
        break;
      }
      case 2:
        memory[k] = a;
        break;
      case 3:
        memory[k] = x;
        break;
      case 4:
        if (operand === 0 && [0x30, 0x90].includes(code & 0xf0)) return 0;
        a = calculate(code & 0xf0, a, operand);
        break;
      case 5:
        if ((code & 0xf0) === 0) at += k;
        else at += compare(code & 0xf0, a, operand) ? jt : jf;
        break;
      case 6:
        return (code & 0x18) === 0x10 ? a : k;
      default:
        if ((code & 0xf8) === 0) x = a;
        else a = x;
    }
  }
}

function load(
  code: number,
  k: number,
  x: number,
  packet: Uint8Array,
  memory: Uint32Array,
  ancillary: Ancillary,
): number {
  const bytes = [4, 2, 1][(code & 0x18) >>> 3]!;
  switch (code & 0xe0) {
    case 0x00:
      return k;
    case 0x20:
      if (k < AD_OFF) return bigEndian(packet, k, bytes);
      if (ancillary[k - AD_OFF] === undefined) throw new Error(`No value for SKF_AD_ ${k - AD_OFF}.`);
      return ancillary[k - AD_OFF]!;
    case 0x40:
      return bigEndian(packet, (x + k) >>> 0, bytes);
    case 0x60:
      return memory[k]!;
    case 0x80:
      return packet.length;
    default: {
      const byte = bigEndian(packet, k, 1);
      return byte === PAST_THE_END ? byte : (byte & 0x0f) * 4;
    }
  }
}

function bigEndian(packet: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > packet.length) return PAST_THE_END;
  let value = 0;
  for (let index = 0; index < bytes; index++) value = value * 256 + packet[at + index]!;
  return value;
}

function calculate(operation: number, a: number, operand: number): number {
  switch (operation) {
    case 0x00:
      return (a + operand) >>> 0;
    case 0x10:
      return (a - operand) >>> 0;
    case 0x20:
      return Math.imul(a, operand) >>> 0;
    case 0x30:
      return Math.floor(a / operand);
    case 0x40:
      return (a | operand) >>> 0;
    case 0x50:
      return (a & operand) >>> 0;
    case 0x60:
      return (a << operand) >>> 0;
    case 0x70:
      return a >>> operand;
    case 0x80:
      return -a >>> 0;
    case 0x90:
      return a % operand;
    case 0xa0:
      return (a ^ operand) >>> 0;
    default:
      throw new Error(`There is no operation ${operation}.`);
  }
}

function compare(operation: number, a: number, operand: number): boolean {
  switch (operation) {
    case 0x10:
      return a === operand;
    case 0x20:
      return a > operand;
    case 0x30:
      return a >= operand;
    case 0x40:
      return (a & operand) !== 0;
    default:
      throw new Error(`There is no comparison ${operation}.`);
  }
}
