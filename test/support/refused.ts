import { loadConfig } from '../../src/config/load.ts';
import { MirrorError } from '../../src/observe/error.ts';

/** Loads what must be refused, and returns the error. */
export function refused(sources: Partial<Parameters<typeof loadConfig>[0]>): MirrorError {
  try {
    loadConfig({ environment: {}, set: [], ...sources });
  } catch (error) {
    if (error instanceof MirrorError) return error;
    throw error;
  }
  throw new Error('The settings were accepted.');
}
