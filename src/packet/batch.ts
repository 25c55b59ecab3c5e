/**
 * Packets that travel together: one block of bytes and parallel columns, one entry a slot.
 *
 * The input fills `bytes` and the outer columns and sets `count`; the receiver fills the inner columns and
 * lists what it delivers in `delivered`. Sinks read the slots `delivered[0 .. deliveredCount - 1]`, in that order.
 * Columns are allocated once; a batch is used again and again.
 */
export class PacketBatch {
  /** Most packets a batch can hold. */
  readonly capacity: number;
  /** The block; packets lie anywhere in it. Replaced through `setBlock` only. */
  bytes: Buffer;
  /** The same block as `bytes`, offset for offset, for reads of more than one byte. */
  view: DataView;
  /** Slots in use: 0 .. count - 1. */
  count = 0;

  /** Byte offset of the outer packet's first byte in `bytes`. */
  readonly at: Uint32Array;
  /** Byte offset one past the outer packet's last byte that was captured. */
  readonly end: Uint32Array;
  /** Bytes the outer packet had on the wire; at least `end - at`. */
  readonly wireLen: Uint32Array;
  /** Arrival: whole seconds since the epoch. */
  readonly seconds: Uint32Array;
  /** Arrival: nanoseconds within the second, 0..999,999,999. */
  readonly nanoseconds: Uint32Array;
  /** What the outer packet begins with, a `LinkType`. */
  readonly linkType: Uint16Array;

  /** Directory slot of the packet's lane; see `LaneReader`. */
  readonly lane: Uint32Array;
  /** The packet's own VNI: that of its lane unless the lane is the one that all share past the lane limit. */
  readonly vni: Uint32Array;
  /** The packet's own `Encapsulation`. */
  readonly encapsulation: Uint8Array;
  /** Byte offset in `bytes` of the mirror source's address. */
  readonly mirrorSourceAt: Uint32Array;
  /** 4 or 6: bytes of that address are 4 or 16; 0 where it is not known. */
  readonly mirrorSourceVersion: Uint8Array;
  /** Byte offset of the inner frame. */
  readonly frameAt: Uint32Array;
  /** Byte offset one past the last byte of the inner frame that arrived. */
  readonly frameEnd: Uint32Array;
  /** Bytes of the inner frame before anything cut it; at least `frameEnd - frameAt`. */
  readonly frameWireLen: Uint32Array;
  /** `Verdict` of the inner transport checksum. */
  readonly transportVerdict: Uint8Array;
  /** Bits of `Mark`. */
  readonly marks: Uint8Array;

  /** Slots the receiver hands to the sinks, in order. */
  readonly delivered: Uint32Array;
  deliveredCount = 0;

  /**
   * @param whole    a batch of which this one is a view: its columns are used, and only `delivered` is own
   * @param shortens where there is such a batch: frames end elsewhere, `frameEnd` and `transportVerdict` are own too
   */
  constructor(capacity: number, block: Buffer, whole?: PacketBatch, shortens = false) {
    const columns = whole ?? makeColumns(capacity);
    this.capacity = capacity;
    this.bytes = block;
    this.view = whole?.view ?? new DataView(block.buffer, block.byteOffset, block.byteLength);
    this.at = columns.at;
    this.end = columns.end;
    this.wireLen = columns.wireLen;
    this.seconds = columns.seconds;
    this.nanoseconds = columns.nanoseconds;
    this.linkType = columns.linkType;
    this.lane = columns.lane;
    this.vni = columns.vni;
    this.encapsulation = columns.encapsulation;
    this.mirrorSourceAt = columns.mirrorSourceAt;
    this.mirrorSourceVersion = columns.mirrorSourceVersion;
    this.frameAt = columns.frameAt;
    this.frameEnd = shortens ? new Uint32Array(capacity) : columns.frameEnd;
    this.frameWireLen = columns.frameWireLen;
    this.transportVerdict = shortens ? new Uint8Array(capacity) : columns.transportVerdict;
    this.marks = columns.marks;
    this.delivered = new Uint32Array(capacity);
  }

  /** Points the batch at another block. Once a block, never once a packet: it makes a view. */
  setBlock(block: Buffer): void {
    this.bytes = block;
    this.view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  }

  /** Makes a view show what the batch that it is of holds now; it delivers nothing yet. */
  follow(whole: PacketBatch): void {
    this.bytes = whole.bytes;
    this.view = whole.view;
    this.count = whole.count;
    this.deliveredCount = 0;
  }

  /** Forgets all packets; bytes and columns stay as they are until written again. */
  clear(): void {
    this.count = 0;
    this.deliveredCount = 0;
  }
}

function makeColumns(capacity: number) {
  const words = (): Uint32Array => new Uint32Array(capacity);
  const bytes = (): Uint8Array => new Uint8Array(capacity);
  return {
    at: words(),
    end: words(),
    wireLen: words(),
    seconds: words(),
    nanoseconds: words(),
    linkType: new Uint16Array(capacity),
    lane: words(),
    vni: words(),
    encapsulation: bytes(),
    mirrorSourceAt: words(),
    mirrorSourceVersion: bytes(),
    frameAt: words(),
    frameEnd: words(),
    frameWireLen: words(),
    transportVerdict: bytes(),
    marks: bytes(),
  };
}
