import { LinkType } from '../../src/packet/link-type.ts';
import { type Lost, NO_FRAME } from '../../src/packet/frame-completer.ts';
import { CutFrames } from '../../src/receive/cut-frames.ts';
import { type Block, blockOf } from '../../src/wire/block.ts';

/** One instance for all frames, as in a worker: what one leaves behind must not show in the next. */
const completer = new CutFrames();
const BEFORE = 13;
const AT = 7;
const ROOM = 70_000;

/** What became of a frame. */
export interface CompletedFrame {
  readonly lost: Lost;
  /** undefined: there is none of that length. */
  readonly frame: Buffer | undefined;
  readonly wasShortened: boolean;
}

/** A frame of which `keep` bytes arrived, in the middle of a block of other bytes. */
function arrived(frame: Uint8Array, keep: number): Block {
  const bytes = Buffer.alloc(BEFORE + frame.length + 64, 0xa5);
  bytes.set(frame.subarray(0, keep), BEFORE);
  return blockOf(bytes);
}

/** What the frame has lost. */
export function lostOf(frame: Uint8Array, keep: number, linkType: LinkType = LinkType.ethernet): Lost {
  return completer.look(arrived(frame, keep), BEFORE, BEFORE + keep, linkType);
}

/** Pads or shortens a frame of which `keep` bytes arrived; what lies around it is found untouched, or this throws. */
export function completed(
  how: 'pad' | 'shorten',
  frame: Uint8Array,
  keep: number,
  bytesMax = 65_600,
  linkType: LinkType = LinkType.ethernet,
): CompletedFrame {
  const source = arrived(frame, keep);
  const before = Buffer.from(source.bytes);
  const lost = completer.look(source, BEFORE, BEFORE + keep, linkType);
  const target = blockOf(Buffer.alloc(ROOM, 0x5c));
  const end = completer[how](target, AT, bytesMax);
  const written = end === NO_FRAME ? AT : end;
  if (!source.bytes.equals(before)) throw new Error('the frame itself was changed');
  const around = Buffer.concat([target.bytes.subarray(0, AT), target.bytes.subarray(written)]);
  if (!around.equals(Buffer.alloc(around.length, 0x5c)))
    throw new Error('bytes around the frame were changed');
  return {
    lost,
    frame: end === NO_FRAME ? undefined : Buffer.from(target.bytes.subarray(AT, end)),
    wasShortened: completer.wasShortened,
  };
}
