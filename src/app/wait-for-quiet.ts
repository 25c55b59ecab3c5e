export interface QuietOptions {
  /** Longest wait. */
  readonly seconds: number;
  /** The wait ends early once nothing was received for so long; Infinity: it lasts its time. */
  readonly quietSeconds: number;
  /** Packets received so far. */
  readonly received: () => number;
  /** Ends the wait at once. */
  readonly signal?: AbortSignal;
}

const LOOK_MS = 250;

/** Waits as a drain does: for its time, or until traffic has stopped coming. */
export async function waitForQuiet({
  seconds,
  quietSeconds,
  received,
  signal,
}: QuietOptions): Promise<undefined> {
  const endMs = performance.now() + seconds * 1000;
  let last = received();
  let quietSinceMs = performance.now();
  for (;;) {
    const nowMs = performance.now();
    const count = received();
    if (count !== last) quietSinceMs = nowMs;
    last = count;
    if (signal?.aborted === true || nowMs >= endMs || nowMs - quietSinceMs >= quietSeconds * 1000)
      return undefined;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, endMs - nowMs)));
  }
}
