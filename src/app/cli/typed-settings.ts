import { type ConfigSources, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/settings.ts';

/** Options of a command that stand for settings, or say where settings are. */
export interface TypedSettings {
  readonly config?: string;
  readonly set?: readonly string[];
}

/**
 * The settings that a command was given, in layers: file, environment, `--set` and then `more`. Commands import this
 * file when they need it: with the schema library behind it, it is half the time that a command takes to start; `givenSettings` leaves it out where it can.
 */
export function loadTyped(options: TypedSettings, more: ConfigSources['set'] = []): Config {
  return loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    environment: process.env,
    set: [...(options.set ?? []), ...more],
  });
}
