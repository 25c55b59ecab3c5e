import type { SinkKind } from '../pipeline/sink.ts';
import { liveFiles } from './files/create.ts';
import { filesDropReasons } from './files/files-sink.ts';
import { filesSettings } from './settings.ts';

const files: SinkKind<typeof filesSettings> = {
  kind: 'files',
  settings: filesSettings,
  dropReasons: filesDropReasons,
  create: (settings, context) => liveFiles(settings, context),
};

/** Every kind of sink there is. A new one is one line here; configuration, reference and contract tests follow. */
export const sinkKinds = [files] as const;
