import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { mapMemory, unmapMemory, viewMemory } from '../../../src/native/memory.ts';
import { requiresNative } from '../../support/native.ts';

const native = await requiresNative();
const BYTES = 8192;

/** A file that is open and `BYTES` long, while `work` runs. */
async function withFile(work: (descriptor: number, path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-memory-'));
  const path = join(folder, 'file');
  const descriptor = openSync(path, 'w+');
  try {
    ftruncateSync(descriptor, BYTES);
    await work(descriptor, path);
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

test.skipIf(!native)('mapped memory is the file, both ways, in every view', async () => {
  await withFile(async (descriptor, path) => {
    const address = mapMemory(descriptor, BYTES);
    const [view, other] = [viewMemory(address, BYTES), viewMemory(address, 4096)];
    writeSync(descriptor, 'from the file', 5000);
    expect(view.toString('latin1', 5000, 5013)).toBe('from the file');
    view.write('from the memory');
    expect(other.toString('latin1', 0, 15)).toBe('from the memory');
    expect(readFileSync(path).toString('latin1', 0, 15)).toBe('from the memory');
    unmapMemory(address, BYTES);
  });
});

test.skipIf(!native)('another thread sees the same memory at the same address', async () => {
  await withFile(async (descriptor) => {
    const address = mapMemory(descriptor, BYTES);
    const view = viewMemory(address, BYTES);
    view.write('question');
    const program = `import { parentPort, workerData } from 'node:worker_threads';
      const { loadNative } = await import(workerData.room + 'library.ts');
      const { viewMemory } = await import(workerData.room + 'memory.ts');
      await loadNative();
      const view = viewMemory(workerData.address, ${BYTES});
      const asked = view.toString('latin1', 0, 8);
      view.write('answered');
      parentPort.postMessage(asked);`;
    const room = new URL('../../../src/native/', import.meta.url).href;
    const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
    const worker = new Worker(url, { workerData: { room, address } });
    const asked = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect([asked, view.toString('latin1', 0, 8)]).toEqual(['question', 'answered']);
    unmapMemory(address, BYTES);
  });
});

test.skipIf(!native)('what cannot be mapped or unmapped is said', () => {
  expect(() => mapMemory(0x7fff_ffff, BYTES)).toThrow(
    expect.objectContaining({ context: { call: 'mmap', errno: 'EBADF', what: '8192 bytes' } }),
  );
  expect(() => unmapMemory(1n, BYTES)).toThrow(
    expect.objectContaining({ context: { call: 'munmap', errno: 'EINVAL', what: '8192 bytes' } }),
  );
});
