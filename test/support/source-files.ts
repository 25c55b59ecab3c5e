import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the project, with a slash at its end. */
export const root: string = new URL('../..', import.meta.url).pathname;

export interface SourceFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
}

/** Every TypeScript file below the given folders of the project; a folder that is not there has none. */
export function sourceFiles(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    namesBelow(folder)
      .filter((path) => path.endsWith('.ts'))
      .map((path) => {
        const text = readFileSync(join(root, path), 'utf8');
        return { path, text, lineCount: text.split('\n').length - 1 };
      }),
  );
}

/** Paths of all files below a folder of the project, in order of their names. */
export function namesBelow(folder: string): string[] {
  if (statSync(join(root, folder), { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .toSorted();
}
