import type { MirrorError } from '../observe/error.ts';
import type { PacketBatch } from '../packet/batch.ts';
import type { Deliver } from '../pipeline/input.ts';

/** The batches that an input has delivered and not got back yet, and the end of its `run`, which waits for them. */
export class Deliveries {
  readonly #ended = Promise.withResolvers<void>();
  #deliver: Deliver | undefined;
  #underWay = 0;
  #failure: MirrorError | undefined;
  /** Nothing more is sent: the last batch is on its way or back. */
  #isLast = false;

  /** Whether batches can be sent. */
  get hasBegun(): boolean {
    return this.#deliver !== undefined;
  }

  /** What `run` returns: settles after `end`, once all batches are back. */
  begin(deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    return this.#ended.promise;
  }

  /** Delivers a batch; `giveBack` is called when its memory is the input's again. */
  send(batch: PacketBatch, giveBack: () => void): void {
    if (this.#deliver === undefined) return;
    this.#underWay++;
    void this.#deliver(batch).then(() => {
      giveBack();
      this.#underWay--;
      this.#settle();
    });
  }

  /**
   * No batch is sent any more.
   *
   * @param failure what `run` rejects with; only after `begin`
   */
  end(failure?: MirrorError): void {
    this.#failure = failure;
    this.#isLast = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#isLast || this.#underWay > 0) return;
    if (this.#failure === undefined) this.#ended.resolve();
    else this.#ended.reject(this.#failure);
  }
}
