import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { numbersFrom, numbersOf, openSpool, readAll } from '../../../../support/spooling.ts';
import { withFolder } from '../../../../support/tshark.ts';

const program = new URL('../../../../support/programs/use-spool.ts', import.meta.url).pathname;
const KILLS = 20;

/** Lets a process use a spool for so long, kills it, and returns what it said. */
async function useAndKill(directory: string, first: number, milliseconds: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let started: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => {
    started = resolve;
  });
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
    if (said.includes('done')) started?.();
  });
  const closed = once(child, 'close');
  await Promise.race([opened, closed]);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  expect(child.exitCode).toBeNull();
  child.kill('SIGKILL');
  await closed;
  return said.split('\n').slice(0, -1);
}

const last = (lines: readonly string[], word: string): number =>
  Number(lines.findLast((line) => line.startsWith(`${word} `))?.split(' ')[1] ?? Number.NaN);

test(
  'killed with -9 twenty times under load: nothing that was kept is lost, and little comes twice',
  () =>
    withFolder(async (directory) => {
      let next = 0;
      let expected = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const lines = await useAndKill(directory, next, (kill * 37) % 150);
        const kept = last(lines, 'kept');
        const done = last(lines, 'done');
        expect(done).toBeGreaterThan(expected);
        const { spool, recovered } = await openSpool(directory);
        const numbers = numbersOf(await readAll(spool));
        await spool.close();
        const [begin = Number.NaN] = numbers;
        const end = begin + numbers.length;
        expect(numbers).toEqual(numbersFrom(begin, end));
        expect(recovered).toMatchObject({ damaged: 0, records: numbers.length });
        // it may have noted, or kept, what it had no time to say
        const readLast = Number(
          lines
            .findLast((line) => line.startsWith('read '))
            ?.split(' ')
            .at(-1),
        );
        expect([done + 1, readLast + 1]).toContain(begin);
        expect(end).toBeGreaterThan(kept);
        expect(end).toBeLessThanOrEqual(kept + 1 + 5);
        expected = begin;
        next = end;
      }
    }),
  120_000,
);
