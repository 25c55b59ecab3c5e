import { assert } from '../../wire/assert.ts';
import { type Instruction, ja, type Step } from './instructions.ts';

/** BPF_MAXINSNS of linux/bpf_common.h. */
export const INSTRUCTIONS_MAX = 4096;
/** Bytes of `struct sock_filter` (linux/filter.h): u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_BYTES = 8;
/** A conditional jump has a byte for the number of instructions to skip; `ja` has 32 bits. */
const SKIP_MAX = 255;
const JUMP_ALWAYS = ja('').code;

/** An instruction with a number, and which ways of it are too long for it. */
interface Placed {
  readonly instruction: Instruction;
  farYes: boolean;
  farNo: boolean;
}

/**
 * Resolves labels and writes the program's bytes, little-endian.
 *
 * A conditional jump that is too long goes over a `ja` right behind it. All jumps go forward, as the kernel asks.
 *
 * @throws AssertionFailure for a label that is missing, doubled or behind its jump, and for a program of more than
 *         INSTRUCTIONS_MAX instructions: mistakes of whoever wrote the steps
 */
export function assemble(steps: readonly Step[]): Uint8Array {
  const placed: Placed[] = [];
  const places = new Map<string, number>();
  for (const step of steps) {
    if ('label' in step) {
      assert(!places.has(step.label), `The label ${step.label} stands twice in a BPF program.`);
      places.set(step.label, placed.length);
    } else {
      placed.push({ instruction: step, farYes: false, farNo: false });
    }
  }
  let offsets = offsetsOf(placed);
  while (widen(placed, places, offsets)) offsets = offsetsOf(placed);
  return encode(placed, places, offsets);
}

/** Where each instruction begins, and behind them the length of the program, in instructions. */
function offsetsOf(placed: readonly Placed[]): number[] {
  const offsets = [0];
  let offset = 0;
  for (const { farYes, farNo } of placed) {
    offset += 1 + Number(farYes) + Number(farNo);
    offsets.push(offset);
  }
  return offsets;
}

/** Marks the jumps that have become too long; says whether there were any. */
function widen(placed: readonly Placed[], places: Places, offsets: readonly number[]): boolean {
  let changed = false;
  for (const [index, one] of placed.entries()) {
    const { code, yes, no } = one.instruction;
    if (code === JUMP_ALWAYS) continue;
    const from = (offsets[index] ?? 0) + 1;
    if (!one.farYes && distance(yes, from, places, offsets) > SKIP_MAX) changed = one.farYes = true;
    if (!one.farNo && distance(no, from, places, offsets) > SKIP_MAX) changed = one.farNo = true;
  }
  return changed;
}

type Places = ReadonlyMap<string, number>;

/** Instructions between `from` and a label; 0 without one. */
function distance(
  label: string | undefined,
  from: number,
  places: Places,
  offsets: readonly number[],
): number {
  if (label === undefined) return 0;
  const index = places.get(label);
  assert(index !== undefined, `A BPF program jumps to ${label}, which is not there.`);
  const skip = (offsets[index] ?? 0) - from;
  assert(skip >= 0, `A BPF program jumps back to ${label}: the kernel refuses that.`);
  return skip;
}

function encode(placed: readonly Placed[], places: Places, offsets: readonly number[]): Uint8Array {
  const count = offsets.at(-1) ?? 0;
  assert(
    count <= INSTRUCTIONS_MAX,
    `A BPF program has ${count} instructions; the kernel takes ${INSTRUCTIONS_MAX}.`,
  );
  const bytes = new Uint8Array(count * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (index: number, code: number, yes: number, no: number, k: number): void => {
    const byte = index * INSTRUCTION_BYTES;
    view.setUint16(byte, code, true);
    view.setUint8(byte + 2, yes);
    view.setUint8(byte + 3, no);
    view.setUint32(byte + 4, k, true);
  };
  for (const [index, { instruction, farYes, farNo }] of placed.entries()) {
    const { code, k, yes, no } = instruction;
    const start = offsets[index] ?? 0;
    if (code === JUMP_ALWAYS) {
      put(start, code, 0, 0, distance(yes, start + 1, places, offsets));
      continue;
    }
    const behind = Number(farYes) + Number(farNo);
    const near = (label: string | undefined): number =>
      label === undefined ? behind : distance(label, start + 1, places, offsets);
    // the detours stand right behind the jump, that of `yes` first
    put(start, code, farYes ? 0 : near(yes), farNo ? behind - 1 : near(no), k);
    if (farYes) put(start + 1, JUMP_ALWAYS, 0, 0, distance(yes, start + 2, places, offsets));
    if (farNo) put(start + behind, JUMP_ALWAYS, 0, 0, distance(no, start + behind + 1, places, offsets));
  }
  return bytes;
}
