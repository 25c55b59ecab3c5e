import { FrameVector } from '../../native/frame-vector.ts';
import type { FoundInterface, Network } from './network.ts';

/** Messages of one system call. */
const MESSAGES = 256;

/** Frames that wait for one system call, and where each goes. */
export class FrameQueue {
  readonly vector: FrameVector;
  readonly #network: Pick<Network, 'send'>;
  /** Place of the exit of each message. */
  readonly #places = new Uint16Array(MESSAGES);
  /** What is to be counted once it was sent. */
  readonly #outcomes = new Int8Array(MESSAGES);
  #count = 0;
  #sent = 0;

  /** @param exitsMax places that there may be */
  constructor(network: Pick<Network, 'send'>, exitsMax: number) {
    this.#network = network;
    this.vector = new FrameVector(MESSAGES, exitsMax);
  }

  setInterface(place: number, { index }: FoundInterface): void {
    this.vector.setInterface(place, index);
  }

  get isFull(): boolean {
    return this.#count === MESSAGES;
  }
  /** Frames that wait. */
  get waiting(): number {
    return this.#count - this.#sent;
  }
  /** The place that the first frame that waits goes to. */
  get nextPlace(): number {
    return this.#places[this.#sent] ?? 0;
  }
  /** Where the head of the next frame to be queued may be written. */
  get headAt(): number {
    return this.vector.headAt(this.#count);
  }

  /**
   * Queues a frame: `headBytes` at `headAt`, then bytes `at .. end` of memory `which`.
   *
   * @param outcome what is counted once it was sent; negative: nothing
   */
  push(place: number, headBytes: number, which: 0 | 1, at: number, end: number, outcome: number): void {
    this.vector.put(this.#count, place, headBytes, which, at, end);
    this.#outcomes[this.#count] = outcome;
    this.#places[this.#count++] = place;
  }

  /**
   * @param outcomes by their numbers, added to
   * @returns how many frames were sent; 0: there is no room; negative: why the first that waits is refused
   */
  send(outcomes: Float64Array): number {
    const sent = this.#network.send(this.vector, this.#sent, this.waiting);
    for (let i = 0; i < sent; i++) {
      const outcome = this.#outcomes[this.#sent++] ?? -1;
      if (outcome >= 0) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    return sent;
  }

  /** Leaves out the first frame that waits. */
  skip(): void {
    this.#sent++;
  }

  clear(): void {
    this.#count = 0;
    this.#sent = 0;
  }
}
