import type { Config } from '../../config/settings.ts';
import type { FilesSettings, FlowFilesSettings } from '../../sinks/settings.ts';
import type { FlowStoreSink, StoreSink } from './capture-store.ts';

/** The configured sinks that write capture files, as the store wants to know them. */
export function storeSinks(config: Config): StoreSink[] {
  return Object.entries(config.sinks).flatMap(([name, settings]) => {
    if (!settings.enabled || settings.kind !== 'files') return [];
    // checked against the schema of its kind when the configuration was read
    const files = settings as unknown as FilesSettings;
    const { directory, compress, keepBytes, keepSeconds, keepFreePercent } = files;
    return [{ name, directory, compress, keepBytes, keepSeconds, keepFreePercent }];
  });
}

/** The configured sinks that write files of flow records. */
export function flowStoreSinks(config: Config): FlowStoreSink[] {
  return Object.entries(config.sinks).flatMap(([name, settings]) => {
    if (!settings.enabled || settings.kind !== 'flow-files') return [];
    const { directory, compress } = settings as unknown as FlowFilesSettings;
    return [{ name, directory, compress }];
  });
}
