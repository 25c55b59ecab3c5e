import { MAX_INTERFACES } from '../../format/limits.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { LaneReader } from '../../packet/lane.ts';
import type { SinkCounters } from '../../pipeline/sink-counters.ts';
import { CaptureFile, LaneInterface, LaneState, type RotationLimits, Track } from './capture-file.ts';
import type { Chunk, ChunkPool } from './chunk-pool.ts';
import type { Encoding } from './encoding.ts';
import { CHUNK_BYTES_FIRST, OpenChunks } from './open-chunks.ts';
import type { Writer } from './writer.ts';

/** What a filler works with. */
export interface FillerParts {
  readonly lanes: LaneReader;
  readonly counters: SinkCounters;
  readonly encoding: Encoding;
  readonly limits: RotationLimits;
  readonly split: 'lane' | 'none';
  readonly pool: ChunkPool;
  readonly writer: Writer;
  readonly now: () => number;
}

/** Puts packets into the chunk of the file they belong to, and begins and ends files. Does no I/O. */
export class Filler {
  /** Tracks by directory slot of the lane; one and the same for all where lanes share a file. */
  readonly #states: (LaneState | undefined)[] = [];
  readonly #parts: FillerParts;
  readonly #encoding: Encoding;
  readonly #shared: Track | undefined;
  readonly #chunks: OpenChunks;
  #nowMs = 0;
  #rounds = 0;

  constructor(parts: FillerParts) {
    this.#parts = parts;
    this.#encoding = parts.encoding;
    this.#chunks = new OpenChunks(parts.pool, parts.writer);
    this.#shared = parts.split === 'none' ? new Track('all', CHUNK_BYTES_FIRST) : undefined;
  }

  /**
   * Encodes the delivered packets from the `from`-th on.
   *
   * @returns how many of the batch's delivered packets are done: fewer than all while the memory is exhausted
   */
  fill(batch: PacketBatch, from: number): number {
    const { delivered, lane, frameAt, frameEnd, seconds, nanoseconds, deliveredCount } = batch;
    const encoding = this.#encoding;
    const overhead = encoding.packetOverheadBytes;
    const states = this.#states;
    const round = ++this.#rounds;
    this.#nowMs = this.#parts.now();
    let laneSlot = -1;
    let state: LaneState | undefined;
    let encoded = 0;
    let i = from;
    for (; i < deliveredCount; i++) {
      const slot = delivered[i] ?? 0;
      if (state === undefined || lane[slot] !== laneSlot) {
        laneSlot = lane[slot] ?? 0;
        state = states[laneSlot];
        if (state === undefined || state.round !== round) {
          state = this.#state(laneSlot);
          state.round = round;
        }
      }
      const bytes = overhead + (frameEnd[slot] ?? 0) - (frameAt[slot] ?? 0);
      const second = seconds[slot] ?? 0;
      const { file } = state;
      let chunk = file?.chunk;
      let target = state.interface;
      if (
        file === undefined ||
        chunk === undefined ||
        target === undefined ||
        second >= file.endSeconds ||
        chunk.packets >= chunk.limitPackets ||
        chunk.used + bytes > chunk.limitBytes
      ) {
        if (this.#refuse(state, bytes)) continue;
        chunk = this.#prepare(state, bytes, second, nanoseconds[slot] ?? 0);
        target = state.interface;
        if (chunk === undefined || target === undefined) break;
      }
      const before = chunk.used;
      const after = encoding.packet(chunk, before, target.id, batch, slot);
      chunk.used = after;
      chunk.packets++;
      target.packets++;
      target.endSeconds = second;
      target.endNanoseconds = nanoseconds[slot] ?? 0;
      encoded += after - before;
    }
    this.#parts.counters.addPendingBytes(encoded);
    return i;
  }

  /** Remembers for each lane that packets from the `from`-th on never came into a file. */
  miss(batch: PacketBatch, from: number): void {
    for (let i = from; i < batch.deliveredCount; i++) {
      this.#state(batch.lane[batch.delivered[i] ?? 0] ?? 0).missed++;
    }
  }

  /** Hands over chunks that were begun at `sinceMs` or before. */
  submitSince(sinceMs: number): void {
    this.#chunks.submitSince(sinceMs);
  }

  /** Ends files whose time is over by the clock, and those of lanes whose slot belongs to another lane now. */
  endOver(nowMs: number): void {
    for (const [slot, state] of this.#states.entries()) {
      const file = state?.track.file;
      if (state === undefined || file === undefined) continue;
      const replaced = this.#shared === undefined && this.#parts.lanes.lane(slot) !== state.lane;
      if (replaced || file.isOver(nowMs)) this.end(file);
    }
  }

  /** Ends all files. */
  endAll(): void {
    for (const file of this.growing()) this.end(file);
  }

  /** Files that packets can still be added to. */
  growing(): Set<CaptureFile> {
    const files = new Set<CaptureFile>();
    for (const state of this.#states) if (state?.track.file !== undefined) files.add(state.track.file);
    return files;
  }

  /** Adds nothing more to a file: what is in memory is written, then the file is finished. */
  end(file: CaptureFile): void {
    if (file.ended) return;
    this.#chunks.submit(file);
    file.ended = true;
    if (file.track.file === file) file.track.file = undefined;
    for (const target of file.interfaces) {
      target.dropped += target.state.missed;
      target.state.missed = 0;
    }
    this.#parts.writer.add(file.track, { file, chunk: undefined });
  }

  /** The lane in a directory slot; a lane that had the slot before is done with. */
  #state(slot: number): LaneState {
    const known = this.#states[slot];
    const lane = this.#parts.lanes.lane(slot);
    if (known !== undefined && known.lane === lane) return known;
    if (known?.track.file !== undefined && this.#shared === undefined) this.end(known.track.file);
    const state = new LaneState(lane, this.#shared ?? new Track(lane.name, CHUNK_BYTES_FIRST));
    while (this.#states.length < slot) this.#states.push(undefined);
    this.#states[slot] = state;
    return state;
  }

  /** Drops a packet whose file cannot be begun yet, or that no chunk can hold. */
  #refuse(state: LaneState, bytes: number): boolean {
    const closed = state.track.file === undefined && this.#nowMs < state.track.retryMs;
    if (!closed && bytes <= this.#parts.pool.largestBytes - this.#encoding.headerBytes(state.lane.name))
      return false;
    state.missed++;
    this.#parts.counters.addDropped('writeFailed', 1);
    return true;
  }

  /** Finds a file and room in it for a packet of this size and time. Nothing is changed twice when called again. */
  #prepare(state: LaneState, bytes: number, seconds: number, nanoseconds: number): Chunk | undefined {
    const { track } = state;
    if (track.file?.isFull(bytes, seconds) || (track.file?.interfaces.length ?? 0) >= MAX_INTERFACES) {
      if (track.file !== undefined) this.end(track.file);
    }
    track.file ??= new CaptureFile(track, this.#parts.limits, seconds, this.#nowMs);
    const { file } = track;
    if (state.file === file) return this.#chunks.room(file, bytes, this.#nowMs);

    const { lane } = state;
    const chunk = this.#chunks.room(file, bytes + this.#encoding.headerBytes(lane.name), this.#nowMs);
    if (chunk === undefined) return undefined;
    const before = chunk.used;
    if (file.bytes === 0) chunk.used = this.#encoding.begin(chunk.bytes, chunk.used, lane.linkType);
    chunk.used = this.#encoding.beginInterface(chunk.bytes, chunk.used, lane.linkType, lane.name);
    this.#parts.counters.addPendingBytes(chunk.used - before);
    state.file = file;
    state.interface = new LaneInterface(file.interfaces.length, state, seconds, nanoseconds);
    file.interfaces.push(state.interface);
    return chunk;
  }
}
