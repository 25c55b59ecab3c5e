import type { EffectiveOutput } from '../../config/presets.ts';
import type { Config } from '../../config/settings.ts';
import type { Report } from '../../observe/report.ts';
import { everything, type SelectionTexts } from '../../receive/select/selection-texts.ts';
import type { DecapProgress } from './progress.ts';

export const STDOUT = 1;

/** The sink that writes the files: its name in the report, and its settings where there are some. */
export const CAPTURES = 'captures';

/** Each holds some 50 MB; `workers` of `receive` has the same limit. */
export const WORKERS_MAX = 64;

/** `mirrortap decap` as it was typed, checked. */
export interface DecapOptions {
  /** Capture files in this order; `-` for standard input. */
  readonly files: readonly string[];
  /** A folder, or `-` for one pcapng on standard output; undefined: no packets are written, only flows. */
  readonly out: string | undefined;
  /** In which order and shape packets are written. Duplicates are dropped where `config` has them found. */
  readonly output: EffectiveOutput;
  /** A file for flow records, or `-` for standard output; undefined: packets are not counted by flow. */
  readonly flows: string | undefined;
  readonly force: boolean;
  readonly format: 'pcapng' | 'pcap';
  /** Threads; 0: one a core. */
  readonly workers: number;
  readonly report: 'text' | 'json';
  readonly config: Config;
}

/** Which packets are written: what the settings of the sink `captures` say. Flow records are of all. */
export function selectedBy({ config }: Pick<DecapOptions, 'config'>): SelectionTexts {
  // a sink of flow records has none
  const settings: { readonly select?: SelectionTexts } | undefined = config.sinks[CAPTURES];
  return settings?.select ?? everything;
}

/** A file with packets of a link type that nobody reads: they count as no tunnel. */
export interface UnreadFile {
  readonly path: string;
  /** The first such LINKTYPE_ value of the pcap registry. */
  readonly linkType: number;
}

/** How a decap ended. */
export interface DecapOutcome {
  /** In file order. */
  readonly unread: readonly UnreadFile[];
  /** What stopped single files early, in file order. */
  readonly errors: readonly unknown[];
  /** What stopped everything: the output cannot be written. */
  readonly failure: Error | undefined;
}

/** One way to do it, on one thread or on several: the outcome is the same, byte for byte. */
export interface DecapRun {
  /** Processes all files. Never rejects. */
  run(): Promise<DecapOutcome>;
  /** Ends early: the file that is being read counts as ended here, and those after it are left out. */
  stop(): Promise<void>;
  /** How far `run` is. */
  progress(): DecapProgress;
  report(): Report;
}
