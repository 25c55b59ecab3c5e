import type { Config } from '../../config/settings.ts';
import type { FilesSettings } from '../../sinks/settings.ts';
import type { StoreSink } from './capture-store.ts';

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
