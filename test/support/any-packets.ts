import { Encapsulation, type Lane, makeLane } from '../../src/packet/lane.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { TEST_SECONDS } from './batches.ts';
import { conversation, fragmentsOf, nestedFrame, single } from './hostile-frames.ts';
import { type BlockPacket, lane42, overflowLane } from './packet-blocks.ts';
import { Seeded } from './seeded.ts';

const lanes: readonly Lane[] = [
  lane42,
  makeLane(Encapsulation.geneveVxlan, 7, true, 1, 2, LinkType.ethernet),
  makeLane(Encapsulation.geneve, 0xff_ffff, false, 0, 0, LinkType.ethernet),
  overflowLane,
];
/** Of packets of the overflow lane: few, since each may have a topic of its own. */
const OVERFLOW_VNIS = [100, 101, 102];

/** Packets of every kind, whole and cut, of several lanes; each has a time of its own. The same seed gives the same ones. */
export function anyPackets(seed: number, count: number): BlockPacket[] {
  const random = new Seeded(seed);
  const frames = [...conversation(random), ...fragmentsOf(random), single(random), single(random)];
  frames.push(nestedFrame(random, random.pick(frames)));
  return Array.from({ length: count }, (_, i) => {
    const { bytes } = random.pick(frames);
    const frame = random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
    const lane = random.pick(lanes);
    return {
      frame,
      lane,
      vni: lane.vni ?? random.pick(OVERFLOW_VNIS),
      encapsulation: lane === overflowLane ? Encapsulation.vxlan : lane.encapsulation,
      // clocks of broken captures are anywhere
      seconds: random.below(40) === 0 ? random.below(2 ** 32) : TEST_SECONDS,
      nanoseconds: i * 1000 + random.below(1000),
      wireLen: bytes.length,
      mirrorSource: random.pick(['10.0.0.9', '2001:db8::9', '']),
      transportVerdict: random.below(6),
      marks: random.below(32),
    };
  });
}

/** Consecutive parts of a list, of random lengths. */
export function cutUp<Thing>(seed: number, things: readonly Thing[], longest: number): Thing[][] {
  const random = new Seeded(seed);
  const parts: Thing[][] = [];
  for (let at = 0; at < things.length; ) {
    const next = at + 1 + random.below(longest);
    parts.push(things.slice(at, next));
    at = next;
  }
  return parts;
}
