import { defaultConfig } from '../../config/default-config.ts';
import type { SettingOption } from '../../config/overrides.ts';
import type { Config } from '../../config/settings.ts';
import type { TypedSettings } from './typed-settings.ts';

const VARIABLE = /^MIRRORTAP_/i;

/**
 * The settings of a command that mostly runs without any: as `loadTyped` returns them, which is imported only when
 * something is given, for the schema library behind it takes longer to read than all else that such a command needs.
 */
export async function givenSettings(
  options: TypedSettings,
  more: readonly SettingOption[] = [],
): Promise<Config> {
  const typed = options.config !== undefined || (options.set ?? []).length + more.length > 0;
  if (!typed && !Object.keys(process.env).some((name) => VARIABLE.test(name))) return defaultConfig;
  const { loadTyped } = await import('./typed-settings.ts');
  return loadTyped(options, [...more]);
}
