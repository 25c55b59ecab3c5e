import { printable } from '../../observe/describe-error.ts';

/** How far a `decap` is. */
export interface DecapProgress {
  /** The file that is being read, and its number, counted from 1, among `files`. */
  readonly path: string;
  readonly file: number;
  readonly files: number;
  /** Stored bytes of it that were read. */
  readonly bytesRead: number;
  /** Stored bytes in all; `undefined` for a stream. */
  readonly totalBytes: number | undefined;
  /** Packets of all files so far. */
  readonly packets: number;
}

const INTERVAL_MS = 500;
const CLEAR_LINE = '\r\x1b[K';
const MEGABYTE = 1_000_000;
const USUAL_COLUMNS = 80;

/** What a terminal is shown; `seconds` since the beginning. */
export function progressLine(progress: DecapProgress, seconds: number): string {
  const { path, file, files, bytesRead, totalBytes, packets } = progress;
  const name = path === '-' ? 'standard input' : printable(path);
  const part =
    totalBytes === undefined || totalBytes === 0
      ? `${Math.floor(bytesRead / MEGABYTE)} MB`
      : `${Math.floor(100 * Math.min(1, bytesRead / totalBytes))} %`;
  const rate = seconds > 0 ? Math.round(packets / seconds) : 0;
  return `file ${file} of ${files}, ${part}, ${packets} packets, ${rate} packets/s: ${name}`;
}

/** Shows one line, written over again and again, where `stream` is a terminal. */
export function showProgress(
  progress: () => DecapProgress,
  stream: NodeJS.WriteStream = process.stderr,
): { stop: () => void } {
  if (!stream.isTTY) return { stop: () => {} };
  const startMs = performance.now();
  const timer = setInterval(() => {
    const line = progressLine(progress(), (performance.now() - startMs) / 1000);
    // a line that wraps could not be written over; a terminal that was never sized says 0
    stream.write(CLEAR_LINE + line.slice(0, (stream.columns || USUAL_COLUMNS) - 1));
  }, INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      stream.write(CLEAR_LINE);
    },
  };
}
