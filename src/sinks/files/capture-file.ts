import type { Lane } from '../../packet/lane.ts';
import type { Chunk } from './chunk-pool.ts';
import type { OutFile } from './destination.ts';
import type { InterfaceStatistics } from './encoding.ts';

/** When a file is full; `Infinity` where there is no limit. */
export interface RotationLimits {
  readonly bytes: number;
  readonly seconds: number;
  readonly packets: number;
}

/** One lane as an interface of one file. */
export class LaneInterface implements InterfaceStatistics {
  /** Number in the file, from 0. */
  readonly id: number;
  readonly state: LaneState;
  /** Packets encoded, less those whose write failed. */
  packets = 0;
  dropped = 0;
  readonly startSeconds: number;
  readonly startNanoseconds: number;
  endSeconds: number;
  endNanoseconds: number;

  constructor(id: number, state: LaneState, seconds: number, nanoseconds: number) {
    this.id = id;
    this.state = state;
    this.startSeconds = seconds;
    this.startNanoseconds = nanoseconds;
    this.endSeconds = seconds;
    this.endNanoseconds = nanoseconds;
  }

  get received(): number {
    return this.packets + this.dropped;
  }
}

/** One file from its first packet until it is finished. */
export class CaptureFile {
  readonly track: Track;
  /** Second of its first packet, since the epoch. */
  readonly startSeconds: number;
  /** When it was begun, by the clock. */
  readonly startedMs: number;
  readonly interfaces: LaneInterface[] = [];
  readonly #limits: RotationLimits;
  /** Packets from this second on go to the next file. */
  readonly endSeconds: number;

  /** No packet is added any more. */
  ended = false;
  /** What is being filled now, and since when by the clock. */
  chunk: Chunk | undefined;
  chunkSinceMs = 0;
  /** What was handed over to be written: `chunk` is not in these. */
  bytesBefore = 0;
  packetsBefore = 0;

  // the writer's part
  /** Undefined until its first chunk is written. */
  out: OutFile | undefined;
  bytesWritten = 0;
  packetsWritten = 0;
  interfacesWritten = 0;
  /** Bytes were added since the last `sync`. */
  unsynced = false;
  /** Why nothing more can be added: a reason for drops. */
  broken: string | undefined;

  constructor(track: Track, limits: RotationLimits, startSeconds: number, nowMs: number) {
    this.track = track;
    this.#limits = limits;
    this.startSeconds = startSeconds;
    this.startedMs = nowMs;
    this.endSeconds = startSeconds + limits.seconds;
  }

  get bytes(): number {
    return this.bytesBefore + (this.chunk?.used ?? 0);
  }
  get packets(): number {
    return this.packetsBefore + (this.chunk?.packets ?? 0);
  }

  /** Whether a packet of this size and time goes to the next file. A file takes at least one packet. */
  isFull(bytes: number, seconds: number): boolean {
    if (this.packets === 0) return false;
    return (
      this.bytes + bytes > this.#limits.bytes ||
      seconds >= this.endSeconds ||
      this.packets >= this.#limits.packets
    );
  }

  /** Goes on in a chunk, up to the limits of the file. */
  fill(chunk: Chunk, nowMs: number): void {
    chunk.limitBytes = Math.min(chunk.bytes.length, this.#limits.bytes - this.bytesBefore);
    chunk.limitPackets = this.#limits.packets - this.packetsBefore;
    this.chunk = chunk;
    this.chunkSinceMs = nowMs;
  }

  /** Takes out what was filled so far. */
  takeChunk(): Chunk | undefined {
    const { chunk } = this;
    if (chunk === undefined) return undefined;
    this.bytesBefore += chunk.used;
    this.packetsBefore += chunk.packets;
    this.chunk = undefined;
    chunk.interfaces = this.interfaces.length;
    return chunk;
  }

  /** Whether its time is over by the clock, for lanes where nothing arrives any more. */
  isOver(nowMs: number): boolean {
    return nowMs - this.startedMs >= this.#limits.seconds * 1000;
  }
}

/** What is written in one order: the files of one lane, or of all lanes together. */
export class Track {
  /** File or folder name: a lane's name, or `all`. */
  readonly stem: string;
  file: CaptureFile | undefined;
  /** What the next chunk should hold: grows while chunks fill up quickly. */
  chunkBytes: number;

  /** Chunks to write; without a chunk: the file is to be finished. */
  readonly jobs: Job[] = [];
  busy = false;
  /** After a failed write nothing is begun before this, by the clock. */
  retryMs = 0;

  constructor(stem: string, chunkBytes: number) {
    this.stem = stem;
    this.chunkBytes = chunkBytes;
  }
}

export interface Job {
  readonly file: CaptureFile;
  readonly chunk: Chunk | undefined;
}

/** What the sink remembers of one directory slot. */
export class LaneState {
  readonly lane: Lane;
  readonly track: Track;
  /** The file in which `interface` stands. */
  file: CaptureFile | undefined;
  interface: LaneInterface | undefined;
  /** Call of `fill` in which the slot was last seen to belong to this lane: to ask for each packet is slow. */
  round = 0;
  /** Packets dropped that no file has told of yet. */
  missed = 0;

  constructor(lane: Lane, track: Track) {
    this.lane = lane;
    this.track = track;
  }
}
