import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires } from '../../../support/requires.ts';
import { withFolder } from '../../../support/tshark.ts';

const program = new URL('../../../support/programs/write-forever.ts', import.meta.url).pathname;

/** Packets in the whole blocks of a pcapng, and whether it is cut in the middle of a block. */
function wholeBlocks(bytes: Buffer): { packets: number; cut: boolean } {
  let packets = 0;
  let at = 0;
  while (at + 12 <= bytes.length && at + bytes.readUInt32LE(at + 4) <= bytes.length) {
    if (bytes.readUInt32LE(at) === 6) packets++;
    at += bytes.readUInt32LE(at + 4);
  }
  return { packets, cut: at !== bytes.length };
}

test.skipIf(!requires('tshark'))(
  'killed with -9 while it writes: tshark reads every .part up to its last block',
  () =>
    withFolder(async (directory) => {
      const child: ChildProcess = spawn(process.execPath, [program, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (child.stdout === null) throw new Error('no output');
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const lanes = readdirSync(directory);
      expect(lanes).toHaveLength(5);
      for (const lane of lanes) {
        const [name = ''] = readdirSync(join(directory, lane));
        expect(name).toMatch(/\.part$/);
        const path = join(directory, lane, name);
        const { packets, cut } = wholeBlocks(readFileSync(path));
        expect(packets).toBeGreaterThan(1000);
        const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
        const tshark = spawnSync('tshark', ['-r', path, '-T', 'fields', '-e', 'frame.number'], options);
        expect(tshark.stdout.split('\n').length - 1).toBe(packets);
        // Linux ends a large write early when the process is killed, at the end of a page
        if (cut) expect(tshark.stderr).toContain('cut short');
        else expect(tshark.status).toBe(0);
      }
    }),
);
