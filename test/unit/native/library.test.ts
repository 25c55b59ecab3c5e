import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { loadNative, unsupported } from '../../../src/native/library.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';

test.each([
  { platform: 'linux', architecture: 'x64', order: 'LE', reason: undefined },
  { platform: 'linux', architecture: 'arm64', order: 'LE', reason: undefined },
  { platform: 'darwin', architecture: 'arm64', order: 'LE', reason: /darwin, not Linux/ },
  { platform: 'linux', architecture: 'arm', order: 'LE', reason: /architecture arm is none of x64, arm64/ },
  { platform: 'linux', architecture: 's390x', order: 'BE', reason: /architecture s390x/ },
])('$platform on $architecture ($order): $reason', ({ platform, architecture, order, reason }) => {
  const told = unsupported(platform, architecture, order);
  if (reason === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(reason);
});

test('it is loaded once a thread, and says so every time', async () => {
  const [first, second] = [loadNative(), loadNative()];
  expect(first).toBe(second);
  expect(await first).toBeUndefined();
});

/** Runs a program in a thread of its own, where nothing is loaded yet; returns what it posts. */
async function inThread(text: string): Promise<unknown> {
  const room = new URL('../../../src/native/', import.meta.url).href;
  const program = `import { parentPort } from 'node:worker_threads';
    import module from 'node:module';
    const room = ${JSON.stringify(room)};
    ${text}`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  } finally {
    await worker.terminate();
  }
}

test('each thread loads it for itself', async () => {
  const index = await inThread(`
    const { loadNative } = await import(room + 'library.ts');
    const { interfaceIndex } = await import(room + 'interface.ts');
    await loadNative();
    parentPort.postMessage(interfaceIndex('lo'));`);
  expect(index).toBe(1);
});

test('a call before it is loaded is our mistake', async () => {
  const name = await inThread(`
    const { interfaceIndex } = await import(room + 'interface.ts');
    try { interfaceIndex('lo'); } catch (error) { parentPort.postMessage(error.name); }`);
  expect(name).toBe(AssertionFailure.name);
});

test('a library that is not there is a reason, not an error', async () => {
  const reason = await inThread(`
    module.registerHooks({
      resolve(specifier, context, next) {
        if (specifier === 'koffi') throw new Error('Cannot find the native Koffi module\\nis it bundled?');
        return next(specifier, context);
      },
    });
    const { loadNative } = await import(room + 'library.ts');
    parentPort.postMessage(await loadNative());`);
  expect(reason).toBe(
    'The library koffi, which makes system calls, cannot be loaded: Cannot find the native Koffi module.',
  );
});
