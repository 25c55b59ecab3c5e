/**
 * Whether the process should get traffic. Pure: the time is an argument.
 *
 * What is told here decides over a fleet: a load balancer takes an instance out of service on it. So it says no
 * only where sending packets elsewhere would help.
 */

/** How long a sink may refuse packets before readiness turns. */
const SINK_FAILING_MAX_MS = 30_000;

/** `any`: one sink that accepts is enough; `all`: each local one must; `none`: sinks do not count; names: those must. */
export type ReadinessPolicy = 'any' | 'all' | 'none' | readonly string[];

export interface SinkState {
  /** The user's name for the sink. Several workers may have a sink of this name: one entry each. */
  readonly name: string;
  /** True where the sink writes to another machine: its failure would be every instance's at once. */
  readonly remote: boolean;
  /** Milliseconds since the epoch when it began to refuse packets; 0 while it accepts. */
  readonly failingSinceMs: number;
  /** Why it refuses. */
  readonly reason: string | undefined;
}

export interface ReadinessInput {
  /** The process was told to stop. */
  readonly draining: boolean;
  /** Workers whose input is open. */
  readonly workersReceiving: number;
  readonly sinks: readonly SinkState[];
  readonly policy: ReadinessPolicy;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export type ReadinessStatus = 'ready' | 'degraded' | 'not ready';
/** Stable; described in docs/http.md. */
export const readinessCodes = ['DRAINING', 'NO_WORKER_RECEIVING', 'SINK_FAILING'] as const;
export type ReadinessCode = (typeof readinessCodes)[number];

export interface ReadinessReason {
  readonly code: ReadinessCode;
  /** `null` where the reason is no sink's. */
  readonly sink: string | null;
  readonly message: string;
}

export interface Readiness {
  readonly status: ReadinessStatus;
  readonly httpStatus: 200 | 503;
  /** Everything that is wrong, also what readiness does not depend on. */
  readonly reasons: readonly ReadinessReason[];
}

/**
 * The answer of `/readyz`: not ready while draining, while no worker receives, or once the sinks that the
 * policy asks about have refused packets for `SINK_FAILING_MAX_MS`; degraded while any sink refuses.
 */
export function readiness(input: ReadinessInput): Readiness {
  const sinks = mergeSinkStates(input.sinks);
  const failing = sinks.filter((sink) => sink.failingSinceMs !== 0);
  const reasons: ReadinessReason[] = failing.map((sink) => sinkReason(sink, input.nowMs));
  if (input.workersReceiving === 0) {
    reasons.unshift({ code: 'NO_WORKER_RECEIVING', sink: null, message: 'No worker receives packets.' });
  }
  if (input.draining) {
    reasons.unshift({ code: 'DRAINING', sink: null, message: 'Stopping: what arrives is still taken.' });
  }

  if (input.draining || input.workersReceiving === 0 || !sinksSuffice(sinks, input)) {
    return { status: 'not ready', httpStatus: 503, reasons };
  }
  return { status: failing.length > 0 ? 'degraded' : 'ready', httpStatus: 200, reasons };
}

/**
 * One state a sink name. A sink is failing if it fails in any worker, since the earliest of these times: a worker
 * that got no packets has not noticed yet.
 */
export function mergeSinkStates(states: readonly SinkState[]): SinkState[] {
  const merged = new Map<string, SinkState>();
  for (const state of states) {
    const known = merged.get(state.name);
    if (known === undefined || failsEarlier(state, known)) merged.set(state.name, state);
  }
  return [...merged.values()];
}

function failsEarlier(a: SinkState, b: SinkState): boolean {
  return a.failingSinceMs !== 0 && (b.failingSinceMs === 0 || a.failingSinceMs < b.failingSinceMs);
}

function sinksSuffice(sinks: readonly SinkState[], { policy, nowMs }: ReadinessInput): boolean {
  if (policy === 'none') return true;
  const counted = sinks.filter(({ name, remote }) => (isList(policy) ? policy.includes(name) : !remote));
  const down = counted.filter(
    ({ failingSinceMs }) => failingSinceMs !== 0 && nowMs - failingSinceMs >= SINK_FAILING_MAX_MS,
  );
  return policy === 'any' ? down.length === 0 || down.length < counted.length : down.length === 0;
}

function isList(policy: ReadinessPolicy): policy is readonly string[] {
  return typeof policy !== 'string';
}

function sinkReason({ name, failingSinceMs, reason }: SinkState, nowMs: number): ReadinessReason {
  const seconds = Math.max(0, Math.floor((nowMs - failingSinceMs) / 1000));
  const why = reason === undefined ? '' : ` (${reason})`;
  return {
    code: 'SINK_FAILING',
    sink: name,
    message: `The sink has refused packets for ${seconds} s${why}.`,
  };
}
