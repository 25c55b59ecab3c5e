import { noClosedLanes, type Report } from '../../observe/report.ts';
import type { LaneDirectory } from '../../receive/lanes.ts';
import { buildReport } from '../build-report.ts';
import type { FileList } from '../file-list.ts';
import type { SharedMemory } from '../shared-memory.ts';
import type { DecapOptions } from './options.ts';

/** The report of a run that has ended. No kernel drops packets of a file, and no lane is closed before the end. */
export function decapReport(
  { config }: Pick<DecapOptions, 'config'>,
  memory: SharedMemory,
  lanes: LaneDirectory,
  files: FileList,
): Report {
  return buildReport(memory, lanes, {
    kernelDrops: 0,
    closedLanes: noClosedLanes,
    files,
    behindGwlb: config.behind === 'gwlb',
    running: false,
  });
}
