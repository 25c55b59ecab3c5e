import type { Config } from '../../config/settings.ts';
import type { Log } from '../../observe/log.ts';
import type { SymmetryState } from '../../observe/metrics/snapshot.ts';
import { clearSymmetry, readSymmetry } from '../../receive/symmetry-memory.ts';

export interface SymmetryWatchOptions {
  /** The sample that the workers fill; see `receive/symmetry-memory.ts`. */
  readonly sample: SharedArrayBuffer;
  readonly config: Pick<Config, 'behind' | 'listen'>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A sample is taken for so long; then it is judged, and the next one begins. */
const SAMPLE_MS = 60_000;
/** Fewer connections than these are not judged. */
const JUDGED_MIN = 100;
/** More than this part of the connections split over workers is worth a warning. */
const SPLIT_MAX = 0.01;
/** The same for TCP connections of which one direction is missing. */
const ONE_SIDED_MAX = 0.2;

const oneSidedRemedies: Readonly<Record<Config['behind'], string>> = {
  direct:
    'Give the mirror filter a rule for each direction, inbound and outbound. Where a load balancer deals packets to several appliances, set `behind`.',
  nlb: 'Turn on stickiness by source address in the target group. With one target only: give the mirror filter a rule for each direction, inbound and outbound.',
  gwlb: 'Set the flow stickiness of the target group to 2-tuple (source_ip_dest_ip). With one target only: give the mirror filter a rule for each direction, inbound and outbound.',
};

const splitRemedies: Readonly<Record<Config['listen']['steering'], string>> = {
  flow: 'The log line "Receiving." says what decides the worker: where it is not the inner addresses, it says why.',
  'flow-ports':
    'Fragments go by their addresses alone: `listen.steering: flow` keeps them with the rest. The log line "Receiving." says whether the kernel steers.',
  vni: 'The log line "Receiving." says what decides the worker: where it is not the VNI, it says why.',
};

/**
 * Reads the sample of connections once a minute: says how many are split over workers, or seen from one side only, and
 * what to do about it.
 */
export class SymmetryWatch {
  readonly #options: SymmetryWatchOptions;
  #beganMs: number;
  #lastMinute: SymmetryState | undefined;

  constructor(options: SymmetryWatchOptions) {
    this.#options = options;
    this.#beganMs = options.now();
  }

  /** Called once a second. */
  look(): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#beganMs < SAMPLE_MS) return;
    const { sample } = this.#options;
    this.#beganMs = nowMs;
    this.#lastMinute = readSymmetry(sample);
    clearSymmetry(sample);
    this.#judge(this.#lastMinute);
  }

  /** The last whole minute; before the first has passed, what is known so far. */
  state(): SymmetryState {
    return this.#lastMinute ?? this.current();
  }

  /** The minute that is not over yet. */
  current(): SymmetryState {
    return readSymmetry(this.#options.sample);
  }

  #judge({ sampled, split, tcp, oneSided }: SymmetryState): void {
    const { config, log } = this.#options;
    if (sampled >= JUDGED_MIN && split / sampled > SPLIT_MAX) {
      const remedy = splitRemedies[config.listen.steering];
      log.warn({ split, sampled, remedy }, 'Connections are split: several workers have packets of each.');
    }
    if (tcp >= JUDGED_MIN && oneSided / tcp > ONE_SIDED_MAX) {
      const remedy = oneSidedRemedies[config.behind];
      log.warn({ oneSided, tcp, remedy }, 'Of many TCP connections one direction is missing.');
    }
  }
}
