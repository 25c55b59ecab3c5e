import type { FlowSinkContext } from '../../pipeline/flow-sink.ts';
import { FLOW_EXTENSION, parseFlowName } from '../../store/flow-names.ts';
import { type Disk, nodeDisk } from '../files/disk.ts';
import { SeriesOfFiles } from '../files/series-of-files.ts';
import { SpaceKeeper } from '../files/space-keeper.ts';
import type { FlowFilesSettings } from '../settings.ts';
import { FlowFilesSink } from './flow-files-sink.ts';
import { FlowFolder } from './flow-folder.ts';

/** What a test hands in its own of. */
export interface FlowFilesMachinery {
  readonly disk?: Disk;
  readonly tickMs?: number;
  readonly memoryBytes?: number;
}

/** The sink of `receive`: files that begin anew, old ones deleted. */
export function liveFlows(
  settings: FlowFilesSettings,
  context: FlowSinkContext,
  { disk = nodeDisk, ...machinery }: FlowFilesMachinery = {},
): FlowFilesSink {
  const { directory } = settings;
  const folder = new FlowFolder({ settings, disk, ...context });
  const makeRoom = (): Promise<void> => folder.sweep();
  return new FlowFilesSink(context, {
    ...machinery,
    destination: new SeriesOfFiles(directory, FLOW_EXTENSION, context.worker, disk, undefined, parseFlowName),
    limits: {
      bytes: settings.rotateBytes || Infinity,
      seconds: settings.rotateSeconds || Infinity,
      packets: Infinity,
    },
    onFailure: 'drop',
    space: new SpaceKeeper({ ...settings, ...context, disk, makeRoom }),
    housekeeping: folder,
  });
}
