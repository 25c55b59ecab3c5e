/** A worker's side of asking the main thread to have old files deleted. */
export class RoomRequests {
  readonly #ask: (sink: string) => void;
  readonly #waiting = new Map<string, { readonly promise: Promise<void>; readonly resolve: () => void }>();

  /** @param ask tells the main thread; `made` is to be called when it answers */
  constructor(ask: (sink: string) => void) {
    this.#ask = ask;
  }

  /** Settles when the main thread has done what it can. Asked again meanwhile, the same promise is given. */
  make(sink: string): Promise<void> {
    const waiting = this.#waiting.get(sink);
    if (waiting !== undefined) return waiting.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(sink, { promise, resolve });
    this.#ask(sink);
    return promise;
  }

  made(sink: string): void {
    this.#waiting.get(sink)?.resolve();
    this.#waiting.delete(sink);
  }
}
