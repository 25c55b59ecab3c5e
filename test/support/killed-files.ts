import { type FileSystem, nodeFileSystem } from '../../src/store/file-system.ts';

/** Thrown in place of the call at which the process would have been killed. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

const changing = [
  'openSync',
  'writeSync',
  'ftruncateSync',
  'fdatasyncSync',
  'renameSync',
  'unlinkSync',
  'utimesSync',
] as const;

/**
 * The file system of this machine for a process that is killed at its `atCall`-th call that changes something, and does no
 * call after that. The write at which it dies stores half of its bytes.
 */
export function killedAt(atCall: number): FileSystem {
  let calls = 0;
  let dead = false;
  const files: Record<string, unknown> = { ...nodeFileSystem };
  for (const name of changing) {
    const call = nodeFileSystem[name] as (...args: unknown[]) => unknown;
    files[name] = (...args: unknown[]): unknown => {
      if (dead) throw new Killed();
      if (++calls < atCall) return call(...args);
      dead = true;
      if (name === 'writeSync') {
        const [descriptor, bytes, at, length, position] = args as [
          number,
          Uint8Array,
          number,
          number,
          number,
        ];
        nodeFileSystem.writeSync(descriptor, bytes, at, length >> 1, position);
      }
      throw new Killed();
    };
  }
  // descriptors of a process that is gone are closed
  return files as unknown as FileSystem;
}

/** A file system on which some calls fail as a full or broken disk makes them. */
export function failing(calls: Partial<Record<(typeof changing)[number], string>>): FileSystem {
  const files: Record<string, unknown> = { ...nodeFileSystem };
  for (const [name, code] of Object.entries(calls)) {
    files[name] = () => {
      throw Object.assign(new Error(code), { code, syscall: name });
    };
  }
  return files as unknown as FileSystem;
}
