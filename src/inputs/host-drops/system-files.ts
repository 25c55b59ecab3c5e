import { readdirSync, readFileSync } from 'node:fs';

/** What is read of procfs and sysfs; tests give their own. */
export interface SystemFiles {
  /** Text of a file; `undefined` where it cannot be read. */
  readonly text: (path: string) => string | undefined;
  /** Names in a folder; none where it cannot be read. */
  readonly names: (folder: string) => readonly string[];
}

export const systemFiles: SystemFiles = {
  text: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  names: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
};
