import { filesSettings, type FilesSettings } from '../../src/sinks/settings.ts';

/** Settings of a capture file sink: their defaults, and what a test says. */
export function capturesSettings(some: Partial<FilesSettings>): FilesSettings {
  const defaults = Object.entries(filesSettings.properties).map(([name, schema]) => [
    name,
    'default' in schema ? schema.default : undefined,
  ]);
  return { ...Object.fromEntries(defaults), ...some };
}
