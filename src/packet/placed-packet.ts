/** One packet of a block of bytes with all that a batch says of it. One instance serves all packets of its owner. */
export class PlacedPacket {
  /** Byte offsets in the block. */
  frameAt = 0;
  frameEnd = 0;
  mirrorSourceAt = 0;
  /** See the columns of `PacketBatch`. */
  mirrorSourceVersion = 0;
  lane = 0;
  vni = 0;
  encapsulation = 0;
  seconds = 0;
  nanoseconds = 0;
  frameWireLen = 0;
  transportVerdict = 0;
  marks = 0;
}
