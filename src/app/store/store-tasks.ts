import type { CompressedFlowFiles, FoundFlowFiles } from '../../store/flow-files.ts';
import type { KeptFiles } from '../../store/keep-waiting.ts';
import type { Finished } from '../../store/record.ts';
import type { Recovered } from '../../store/recover.ts';
import type { OwnerIdentity } from '../../store/owner.ts';
import type { FileCompression } from '../../store/live-names.ts';
import type { OpenedFolder } from '../../store/folder.ts';
import type { Retained } from '../../store/retain.ts';
import type { KeepLimits } from '../../store/retention.ts';
import type { ScanCursor, Scanned } from '../../store/scan.ts';

/** The folder of one sink, as every job gets it. */
export interface StoreFolder {
  readonly directory: string;
  readonly sink: string;
  readonly compress: FileCompression;
  readonly limits: KeepLimits;
  /** This process, as its file in the folder says. */
  readonly self: OwnerIdentity;
}

/** The folder of one sink of flow records. */
export interface FlowFolder {
  readonly directory: string;
  readonly compress: FileCompression;
  /** This process, as its file in the folder says. */
  readonly self: OwnerIdentity;
}

/** A job ends after about so long, milliseconds, and is begun again where it stopped. */
interface Budget {
  readonly budgetMs: number;
}

/** How much the index lists. */
export interface Totals {
  readonly files: number;
  readonly bytes: number;
}

/** The jobs of a store by name: what each is given and gives back. They run on the threads of its pool. */
export interface StoreJobs {
  /** Begins with the folder; makes it where it is missing. */
  open(task: StoreFolder): OpenedFolder;
  /** Which files that were not decided upon are left over by now. */
  reconsider(task: StoreFolder & { readonly undecided: readonly string[] }): {
    readonly leftovers: readonly string[];
    readonly undecided: readonly string[];
  };
  /** Which files a worker of ours that died at this time left unfinished. */
  orphans(task: StoreFolder & { readonly worker: number; readonly diedMs: number }): readonly string[];
  recover(task: StoreFolder & Budget & { readonly paths: readonly string[] }): Recovered;
  /** Adds finished files to the index. */
  record(task: StoreFolder & { readonly files: readonly Finished[] }): Totals;
  /** Compresses and hashes what waits. */
  keep(task: StoreFolder & Budget): KeptFiles;
  /** Deletes what the limits ask for; `totals` and the last packet of the oldest file left, where the index can be read. */
  retain(task: StoreFolder & Budget): Retained & {
    readonly totals: Totals | undefined;
    readonly oldestSeconds: number | undefined;
  };
  scan(
    task: StoreFolder &
      Budget & { readonly cursor: ScanCursor | undefined; readonly settledBeforeMs: number },
  ): Promise<Scanned & { readonly totals: Totals }>;
  /** Looks at a folder of flow files. */
  findFlows(task: FlowFolder): FoundFlowFiles;
  /** Compresses flow files. */
  compressFlows(task: FlowFolder & Budget & { readonly paths: readonly string[] }): CompressedFlowFiles;
  /** Sets an index aside that cannot be used, and begins a new one; `undefined` where nothing is wrong with it. */
  mend(task: StoreFolder): OpenedFolder['setAside'];
}
