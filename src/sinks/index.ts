import type { FlowSinkKind } from '../pipeline/flow-sink.ts';
import type { SinkKind } from '../pipeline/sink.ts';
import { liveFiles } from './files/create.ts';
import { filesDropReasons } from './files/files-sink.ts';
import { liveFlows } from './flow-files/create.ts';
import { flowFilesDropReasons } from './flow-files/drop-reasons.ts';
import type { FilesSettings, FlowFilesSettings } from './settings.ts';

const files: SinkKind = {
  kind: 'files',
  dropReasons: filesDropReasons,
  create: (settings, context) => liveFiles(settings as unknown as FilesSettings, context),
};

const flowFiles: FlowSinkKind = {
  kind: 'flow-files',
  dropReasons: flowFilesDropReasons,
  create: (settings, context) => liveFlows(settings as unknown as FlowFilesSettings, context),
};

/** Every kind of sink that takes packets. A new one is one line here and one in `sinkSettings`; the contract tests follow. */
export const sinkKinds: readonly SinkKind[] = [files];

/** Every kind of sink that takes flow records. A new one is one line here and one in `flowSinkSettings`. */
export const flowSinkKinds: readonly FlowSinkKind[] = [flowFiles];
