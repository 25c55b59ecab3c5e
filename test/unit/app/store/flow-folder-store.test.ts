import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { CaptureStore, type FlowStoreSink } from '../../../../src/app/store/capture-store.ts';
import { until } from '../../../support/appliance.ts';
import { withFolder } from '../../../support/tshark.ts';

const TEXT = '{"a":1}\n'.repeat(1000);
const name = (sequence: number) => `20261121T040000Z-00000${sequence}-w0.ndjson`;

function makeStore(directory: string, compress: FlowStoreSink['compress'] = 'zstd') {
  const lines: string[] = [];
  const line = (level: string) => (_fields: unknown, message: string) =>
    void lines.push(`${level}: ${message}`);
  const store = new CaptureStore({
    sinks: [],
    flowSinks: [{ name: 'flows', directory, compress }],
    log: { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') },
    now: Date.now,
    onRenamed: () => {},
  });
  onTestFinished(() => store.close());
  return { store, lines };
}

function put(directory: string, file: string, text = TEXT): void {
  writeFileSync(join(directory, file), text);
}

function finished(store: CaptureStore, directory: string, file: string): void {
  put(directory, file);
  store.flowFile('flows', { event: 'finished', path: file, bytes: TEXT.length });
}

const bytesOf = (directory: string, file: string): string =>
  zstdDecompressSync(readFileSync(join(directory, file))).toString();

test('finished files are compressed, and counted as they are stored', () =>
  withFolder(async (directory) => {
    const { store, lines } = makeStore(directory);
    await store.open();
    for (const sequence of [1, 2, 3]) finished(store, directory, name(sequence));
    await until('all are compressed', () => store.snapshot()[0]?.compressedFiles === 3);
    finished(store, directory, name(4));
    await store.close();
    expect(readdirSync(directory).toSorted()).toEqual([1, 2, 3, 4].map((n) => `${name(n)}.zst`));
    expect(bytesOf(directory, `${name(4)}.zst`)).toBe(TEXT);
    const [state] = store.snapshot();
    expect(state).toMatchObject({
      sink: 'flows',
      files: 4,
      waitingFiles: 0,
      compressedFiles: 4,
      compressedInputBytes: 4 * TEXT.length,
      recoveredFiles: 0,
    });
    expect(state?.bytes).toBe(state?.compressedOutputBytes);
    expect(lines).toEqual([]);
  }));

test('what an earlier run left is compressed, half-made files are removed', () =>
  withFolder(async (directory) => {
    put(directory, name(1));
    put(directory, `${name(1)}.zst.part`, 'half');
    put(directory, `${name(2)}.gz`, 'compressed');
    const { store, lines } = makeStore(directory);
    await store.open();
    await until('it is compressed', () => store.snapshot()[0]?.compressedFiles === 1);
    await store.close();
    expect(readdirSync(directory).toSorted()).toEqual([`${name(1)}.zst`, `${name(2)}.gz`]);
    expect(bytesOf(directory, `${name(1)}.zst`)).toBe(TEXT);
    expect(store.snapshot()[0]).toMatchObject({ files: 2, waitingFiles: 0 });
    expect(lines).toEqual(['info: Half-compressed flow files were removed: they are compressed anew.']);
  }));

test('compress: none: files are counted, and left as they are', () =>
  withFolder(async (directory) => {
    put(directory, name(1));
    const { store } = makeStore(directory, 'none');
    await store.open();
    await until('the folder was looked at', () => store.snapshot()[0]?.files === 1);
    finished(store, directory, name(2));
    store.flowFile('flows', { event: 'recovered', path: name(3), bytes: 10 });
    store.flowFile('flows', { event: 'deleted', path: name(1), bytes: TEXT.length, reason: 'age' });
    await store.close();
    expect(readdirSync(directory).toSorted()).toEqual([name(1), name(2)]);
    const [state] = store.snapshot();
    expect(state).toMatchObject({
      files: 2,
      bytes: TEXT.length + 10,
      waitingFiles: 0,
      compressedFiles: 0,
      recoveredFiles: 1,
    });
    expect(state?.deleted).toContainEqual({ reason: 'age', files: 1, bytes: TEXT.length });
  }));

test('a file that cannot be compressed is said, is left as it is, and counts as waiting until it is deleted', () =>
  withFolder(async (directory) => {
    const { store, lines } = makeStore(directory);
    await store.open();
    // a folder is in the way of the compressed file
    mkdirSync(join(directory, `${name(1)}.zst.part`));
    finished(store, directory, name(1));
    finished(store, directory, name(2));
    await until('the other is compressed', () => store.snapshot()[0]?.compressedFiles === 1);
    await until('it is said', () => lines.length > 0);
    expect(lines).toEqual(['error: A finished flow file cannot be compressed: it is left as it is.']);
    expect(readFileSync(join(directory, name(1)), 'utf8')).toBe(TEXT);
    expect(store.snapshot()[0]).toMatchObject({ files: 2, waitingFiles: 1 });
    store.flowFile('flows', { event: 'deleted', path: name(1), bytes: TEXT.length, reason: 'bytes' });
    expect(store.snapshot()[0]).toMatchObject({ files: 1, waitingFiles: 0 });
  }));

test('a folder that is gone is said once, and closing does not wait for it', () =>
  withFolder(async (directory) => {
    const missing = join(directory, 'gone');
    const { store, lines } = makeStore(missing);
    await store.open();
    for (const sequence of [1, 2]) {
      store.flowFile('flows', { event: 'finished', path: name(sequence), bytes: 1 });
      await until('it was tried', () => lines.length > 0);
    }
    await store.close();
    expect(lines).toEqual([
      'error: Finished flow files cannot be compressed just now; it is tried again.',
      'info: Finished flow files wait to be compressed: that is done after the next start.',
    ]);
  }));
