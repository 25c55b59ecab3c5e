/**
 * The instructions of classic BPF, named as in the manual (kernel documentation, networking/filter; McCanne and
 * Jacobson, "The BSD Packet Filter", 1993): an accumulator A, an index register X, sixteen words M[], and loads from the
 * packet in network byte order. A load past the packet's end ends the program with 0. Numbers are those of
 * linux/bpf_common.h and linux/filter.h.
 */

/** One instruction; a conditional jump goes to the label `yes` or `no`, and on to the next instruction without one. */
export interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly yes?: string | undefined;
  readonly no?: string | undefined;
}

/** A place to jump to. */
export interface Label {
  readonly label: string;
}

export type Step = Instruction | Label;

/** Where a load takes its value from: BPF_MODE and k. */
export interface Source {
  readonly mode: number;
  readonly k: number;
}

/** The index register where an operand may be a number or X. */
export const X = 'x';
export type Operand = number | typeof X;

// linux/bpf_common.h: BPF_CLASS
const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const MISC = 0x07;
// BPF_SIZE
const W = 0x00;
const H = 0x08;
const B = 0x10;
// BPF_SRC
const FROM_X = 0x08;

/** Bytes at offset `k`. */
export const abs = (k: number): Source => ({ mode: 0x20, k });
/** Bytes at offset X + `k`. */
export const ind = (k: number): Source => ({ mode: 0x40, k });
/** The number `k` itself. */
export const imm = (k: number): Source => ({ mode: 0x00, k });
/** The word M[`k`]. */
export const mem = (k: number): Source => ({ mode: 0x60, k });
/** Bytes of the packet. */
export const len: Source = { mode: 0x80, k: 0 };
/** Four times the low half of the byte at offset `k`: the length of an IPv4 header. Only for `ldx`. */
export const msh = (k: number): Source => ({ mode: 0xa0, k });

/** What the kernel knows of a packet besides its bytes: loads at these offsets (linux/filter.h, SKF_AD_OFF). */
const AD_OFF = -0x1000;
const ancillary = (k: number): Source => abs(AD_OFF + k);
/** SKF_AD_PROTOCOL: EtherType behind the tag that the kernel took off. */
export const protocol: Source = ancillary(0);
/** SKF_AD_PKTTYPE: to whom, a PACKET_ number of linux/if_packet.h. */
export const packetType: Source = ancillary(4);
/** SKF_AD_VLAN_TAG: control information of the tag that the kernel took off. */
export const vlanTag: Source = ancillary(44);
/** SKF_AD_VLAN_TAG_PRESENT: 1 where the kernel took a tag off. */
export const vlanTagPresent: Source = ancillary(48);

/** linux/if_packet.h: the packet is for this host itself. */
export const PACKET_HOST = 0;

/** A = a word, a half word, a byte. */
export const ld = ({ mode, k }: Source): Instruction => ({ code: LD | W | mode, k });
export const ldh = ({ mode, k }: Source): Instruction => ({ code: LD | H | mode, k });
export const ldb = ({ mode, k }: Source): Instruction => ({ code: LD | B | mode, k });
/** X = a number, a word of M, the packet's length. */
export const ldx = ({ mode, k }: Source): Instruction => ({ code: LDX | W | mode, k });
/** X = four times the low half of a byte: only with `msh`. */
export const ldxb = ({ mode, k }: Source): Instruction => ({ code: LDX | B | mode, k });
/** M[`k`] = A. */
export const st = (k: number): Instruction => ({ code: ST, k });
/** M[`k`] = X. */
export const stx = (k: number): Instruction => ({ code: STX, k });
/** X = A. */
export const tax: Instruction = { code: MISC | 0x00, k: 0 };
/** A = X. */
export const txa: Instruction = { code: MISC | 0x80, k: 0 };

/** A = A and the operand, combined; 32 bits, without sign. */
export const add = (operand: Operand): Instruction => arithmetic(0x00, operand);
export const sub = (operand: Operand): Instruction => arithmetic(0x10, operand);
export const mul = (operand: Operand): Instruction => arithmetic(0x20, operand);
export const and = (operand: Operand): Instruction => arithmetic(0x50, operand);
export const lsh = (operand: Operand): Instruction => arithmetic(0x60, operand);
export const rsh = (operand: Operand): Instruction => arithmetic(0x70, operand);
/** `rest` is never 0: the kernel refuses it. */
export const mod = (rest: number): Instruction => arithmetic(0x90, rest);
export const xor = (operand: Operand): Instruction => arithmetic(0xa0, operand);

/** Goes to a label, however far. */
export const ja = (yes: string): Instruction => ({ code: JMP, k: 0, yes });
/** Goes on by a comparison of A with a number or X. */
export const jeq = (operand: Operand, yes?: string, no?: string): Instruction => jump(0x10, operand, yes, no);
export const jne = (operand: Operand, yes: string): Instruction => jeq(operand, undefined, yes);
export const jgt = (operand: Operand, yes?: string, no?: string): Instruction => jump(0x20, operand, yes, no);
export const jge = (operand: Operand, yes?: string, no?: string): Instruction => jump(0x30, operand, yes, no);
/** Are any of these bits set in A? */
export const jset = (bits: Operand, yes?: string, no?: string): Instruction => jump(0x40, bits, yes, no);

/** Ends the program with a number. */
export const ret = (k: number): Instruction => ({ code: RET, k });
/** Ends the program with A. */
export const retA: Instruction = { code: RET | 0x10, k: 0 };

/** A place to jump to, from before it. */
export const at = (label: string): Label => ({ label });

function arithmetic(operation: number, operand: Operand): Instruction {
  return operand === X ? { code: ALU | operation | FROM_X, k: 0 } : { code: ALU | operation, k: operand };
}

function jump(operation: number, operand: Operand, yes?: string, no?: string): Instruction {
  return operand === X
    ? { code: JMP | operation | FROM_X, k: 0, yes, no }
    : { code: JMP | operation, k: operand, yes, no };
}
