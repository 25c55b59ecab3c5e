/** Random numbers that a seed repeats: the generator mulberry32. */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  /** One of `choices`, which is not empty. */
  pick<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('There is nothing to pick from.');
    return choice;
  }
}

/** Numbers that parsers get wrong: around nothing, around signs, and everything. */
const EDGES = [
  0, 1, 3, 4, 7, 8, 11, 12, 28, 31, 32, 0x7f, 0xff, 0xffff, 0x3_ffff, 0x4_0000, 0x8_0000, 0x7fff_ffff,
  0x8000_0000, 0xffff_fffc, 0xffff_ffff,
];

/** A copy of `bytes` with one to five mistakes in it: bytes and words changed, pieces cut, doubled and moved. */
export function mutated(random: Seeded, bytes: Buffer): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + random.below(5); left > 0; left--) result = mistake(random, result);
  return result;
}

function mistake(random: Seeded, bytes: Buffer): Buffer {
  if (bytes.length < 8) return bytes;
  const at = random.below(bytes.length - 4);
  const aligned = at & ~3;
  const length = 1 + random.below(64);
  switch (random.below(7)) {
    case 0:
      bytes[at] = random.below(256);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 2:
      bytes.writeUInt32LE(random.pick(EDGES), aligned);
      return bytes;
    case 3:
      bytes.writeUInt32BE(random.pick(EDGES), aligned);
      return bytes;
    case 4:
      return bytes.subarray(0, at);
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(aligned, aligned + length),
        bytes.subarray(at),
      ]);
  }
}
