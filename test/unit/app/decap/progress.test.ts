import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { progressLine, showProgress } from '../../../../src/app/decap/progress.ts';

const base = { path: 'day.pcapng', file: 2, files: 3, bytesRead: 0, totalBytes: 200, packets: 0 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  [{ ...base }, 0, 'file 2 of 3, 0 %, 0 packets, 0 packets/s: day.pcapng'],
  [
    { ...base, bytesRead: 199, packets: 1000 },
    2,
    'file 2 of 3, 99 %, 1000 packets, 500 packets/s: day.pcapng',
  ],
  [{ ...base, bytesRead: 300, packets: 7 }, 1, 'file 2 of 3, 100 %, 7 packets, 7 packets/s: day.pcapng'],
  [
    { ...base, path: '-', totalBytes: undefined, bytesRead: 5_600_000, packets: 7 },
    1,
    'file 2 of 3, 5 MB, 7 packets, 7 packets/s: standard input',
  ],
  [{ ...base, totalBytes: 0 }, 1, 'file 2 of 3, 0 MB, 0 packets, 0 packets/s: day.pcapng'],
  [{ ...base, path: 'a\x1b[2Jb' }, 0, 'file 2 of 3, 0 %, 0 packets, 0 packets/s: a\\x1b[2Jb'],
])('%j after %d s', (progress, seconds, line) => {
  expect(progressLine(progress, seconds)).toBe(line);
});

function terminal(isTTY: boolean, columns: number): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { stream: stream as unknown as NodeJS.WriteStream, written };
}

test('a terminal gets one line that never wraps, and that is gone at the end', () => {
  const { stream, written } = terminal(true, 20);
  const progress = showProgress(() => ({ ...base, packets: 10 }), stream);
  vi.advanceTimersByTime(1000);
  expect(written).toEqual(['\r\x1b[Kfile 2 of 3, 0 %, 1', '\r\x1b[Kfile 2 of 3, 0 %, 1']);
  progress.stop();
  vi.advanceTimersByTime(5000);
  expect(written.slice(2)).toEqual(['\r\x1b[K']);
});

test('what is no terminal gets nothing', () => {
  const { stream, written } = terminal(false, 80);
  const progress = showProgress(() => base, stream);
  vi.advanceTimersByTime(5000);
  progress.stop();
  expect(written).toEqual([]);
});
