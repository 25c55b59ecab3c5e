import { closeSync, openSync, readSync } from 'node:fs';
import { MirrorError } from '../observe/error.ts';

/** A settings file is written by hand: more than this is a mistake. */
const BYTES_MAX = 1_048_576;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a folder',
};

/**
 * The text of a settings file.
 *
 * @throws MirrorError CONFIG_UNREADABLE; CONFIG_INVALID where the file is not UTF-8 or too long to be settings
 */
export function readSettingsFile(file: string): string {
  const bytes = readBounded(file);
  if (bytes.length > BYTES_MAX) {
    throw new MirrorError('CONFIG_INVALID', `${file}: more than ${BYTES_MAX} bytes.`, { source: file });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new MirrorError('CONFIG_INVALID', `${file}: not UTF-8 text.`, { source: file }, { cause });
  }
}

/** At most one byte more than is allowed, whatever the file is: a pipe and a device have no length. */
function readBounded(file: string): Uint8Array {
  const bytes = new Uint8Array(BYTES_MAX + 1);
  let length = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(descriptor, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why = reasons[code] ?? code;
    throw new MirrorError('CONFIG_UNREADABLE', `Cannot read ${file}: ${why}.`, { source: file }, { cause });
  }
  return bytes.subarray(0, length);
}
