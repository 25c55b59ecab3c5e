import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a program of the Wireshark family and returns what it printed. Throws where it fails. */
export function runWireshark(program: string, args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  });
}

/** One row a packet, one column a field, as `tshark -T fields` prints them. */
export function tsharkFields(path: string, fields: readonly string[]): string[][] {
  const args = ['-r', path, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  return runWireshark('tshark', args)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

/** The blocks of a pcapng file as Wireshark's dissector of the file format itself spells them out. */
export function tsharkBlocks(path: string): string {
  return runWireshark('tshark', ['-r', path, '-X', 'read_format:MIME Files Format', '-V']);
}

/** Calls `work` with a new folder, and deletes it afterwards. */
export async function withFolder<Result>(
  work: (folder: string) => Result | Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
