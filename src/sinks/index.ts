import type { SinkKind } from '../pipeline/sink.ts';
import { liveFiles } from './files/create.ts';
import { filesDropReasons } from './files/files-sink.ts';
import type { FilesSettings } from './settings.ts';

const files: SinkKind = {
  kind: 'files',
  dropReasons: filesDropReasons,
  create: (settings, context) => liveFiles(settings as unknown as FilesSettings, context),
};

/** Every kind of sink there is. A new one is one line here and one in `sinkSettings`; the contract tests follow. */
export const sinkKinds: readonly SinkKind[] = [files];
