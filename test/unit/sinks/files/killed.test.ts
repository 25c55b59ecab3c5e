import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires } from '../../../support/requires.ts';
import { runWireshark, withFolder } from '../../../support/tshark.ts';

const program = new URL('../../../support/programs/write-forever.ts', import.meta.url).pathname;

test.skipIf(!requires('tshark'))(
  'killed with -9 while it writes: every .part opens in tshark, up to its last block',
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
        const [name] = readdirSync(join(directory, lane));
        expect(name).toMatch(/\.part$/);
        // tshark ends with an error where a file is cut in the middle of a block
        const lines = runWireshark('tshark', [
          '-r',
          join(directory, lane, name ?? ''),
          '-T',
          'fields',
          '-e',
          'frame.number',
        ]);
        expect(lines.split('\n').length).toBeGreaterThan(1000);
      }
    }),
);
