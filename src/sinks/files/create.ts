import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { SinkContext } from '../../pipeline/sink.ts';
import type { FilesSettings } from '../settings.ts';
import type { RotationLimits } from './capture-file.ts';
import { callingThreadDisk, type Disk, nodeDisk } from './disk.ts';
import { encodingOf } from './encoding.ts';
import { FilesSink } from './files-sink.ts';
import { OneFileALane } from './one-file-a-lane.ts';
import { SeriesOfFiles } from './series-of-files.ts';
import { SpaceKeeper } from './space-keeper.ts';
import { Stream } from './stream.ts';

/** What a test hands in its own of. */
export interface FilesMachinery {
  readonly disk?: Disk;
  readonly tickMs?: number;
  readonly memoryBytes?: number;
}

const NO_LIMITS: RotationLimits = { bytes: Infinity, seconds: Infinity, packets: Infinity };

/** The sink of `receive`: files that begin anew, old ones deleted while the disk is full. */
export function liveFiles(
  settings: FilesSettings,
  context: SinkContext,
  { disk = nodeDisk, ...machinery }: FilesMachinery = {},
): FilesSink {
  const { directory, format, split } = settings;
  return new FilesSink(context, {
    ...machinery,
    destination: new SeriesOfFiles(directory, format, context.worker, disk, context.openFiles),
    encoding: encodingOf(format, context.ordered ?? false),
    split,
    limits: {
      bytes: settings.rotateBytes || Infinity,
      seconds: settings.rotateSeconds || Infinity,
      packets: settings.rotatePackets || Infinity,
    },
    onFailure: 'drop',
    space: new SpaceKeeper({ ...settings, ...context, disk }),
    ...(context.onFile === undefined ? {} : { onFile: context.onFile }),
  });
}

/** What `decap` says about its output. */
export interface OfflineFiles {
  readonly directory: string;
  readonly format: 'pcapng' | 'pcap';
  readonly split: 'lane' | 'none';
  /** Replace files that are there already. */
  readonly force: boolean;
  readonly onFile?: (file: FinishedFile) => void;
}

/** The sink of `decap --out DIR`: one file a lane. A failing disk ends the work with an error. */
export function offlineFiles(
  output: OfflineFiles,
  context: SinkContext,
  { disk = callingThreadDisk, ...machinery }: FilesMachinery = {},
): FilesSink {
  const { directory, format, split, force, onFile = context.onFile } = output;
  return new FilesSink(context, {
    ...machinery,
    destination: new OneFileALane(directory, format, force, disk),
    encoding: encodingOf(format, context.ordered ?? false),
    split,
    limits: NO_LIMITS,
    onFailure: 'fail',
    ...(onFile === undefined ? {} : { onFile }),
  });
}

/** The sink of `decap --out -`: one pcapng with all lanes, to a descriptor that is open. */
export function streamedFile(
  descriptor: number,
  context: SinkContext,
  { disk = nodeDisk, ...machinery }: FilesMachinery = {},
): FilesSink {
  return new FilesSink(context, {
    ...machinery,
    destination: new Stream(descriptor, disk),
    encoding: encodingOf('pcapng', context.ordered ?? false),
    split: 'none',
    limits: NO_LIMITS,
    onFailure: 'fail',
  });
}
