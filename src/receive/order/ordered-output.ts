import type { Block } from '../../wire/block.ts';

/** Where packets leave in their order: what is given has to be copied or written before the call returns. */
export interface OrderedOutput {
  put(
    bytes: Block,
    frameAt: number,
    frameEnd: number,
    lane: number,
    seconds: number,
    nanoseconds: number,
    frameWireLen: number,
    transportVerdict: number,
    marks: number,
  ): void;
}
