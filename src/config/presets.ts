import { hasSharedPipe } from './pipe-rules.ts';
import type { Config } from './settings.ts';

/** What `drainSeconds: auto` means behind each kind of load balancer. */
const drainSecondsBehind: Readonly<Record<Config['behind'], number>> = { direct: 0, nlb: 90, gwlb: 90 };
/** A drain that nobody set by hand ends after so long without packets. */
const QUIET_SECONDS = 5;
const WORKERS_MAX = 8;

/** How long receiving goes on after the first SIGTERM. */
export interface Drain {
  readonly seconds: number;
  /** Seconds without packets that end it early; Infinity where it lasts its time. */
  readonly quietSeconds: number;
}

export function drain({ drainSeconds, behind }: Pick<Config, 'drainSeconds' | 'behind'>): Drain {
  if (drainSeconds !== 'auto') return { seconds: drainSeconds, quietSeconds: Infinity };
  return { seconds: drainSecondsBehind[behind], quietSeconds: QUIET_SECONDS };
}

/** How many workers receive on a machine with so many cores: one where they would share a pipe. */
export function workerCount(config: Pick<Config, 'workers' | 'sinks'>, cores: number): number {
  if (config.workers > 0) return config.workers;
  return hasSharedPipe(config) ? 1 : Math.min(WORKERS_MAX, Math.max(1, cores - 1));
}

/** Kinds of sinks that hand packets to programs which cannot bring them into order themselves. */
const ORDERED_KINDS: readonly string[] = ['inject', 'pipe'];

/** What a packet sink is given once `auto` is decided. */
export interface EffectiveOutput {
  readonly order: 'arrival' | 'flow';
  readonly repair: 'none' | 'partial' | 'all';
  readonly duplicates: 'keep' | 'drop';
}

/** Load balancers deliver out of order (AWS, traffic mirroring considerations); a network interface does not. */
export function effectiveOutput(
  { kind, output }: Pick<Config['sinks'][string], 'kind' | 'output'>,
  behind: Config['behind'],
): EffectiveOutput {
  const { order, repair, duplicates } = output;
  const auto = behind !== 'direct' && ORDERED_KINDS.includes(kind) ? 'flow' : 'arrival';
  return { order: order === 'auto' ? auto : order, repair, duplicates };
}
