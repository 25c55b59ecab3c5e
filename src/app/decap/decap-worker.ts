/** A thread of a decap with several workers: takes one file, or its share of one, after the other. Started by piscina. */
import { workerData } from 'node:worker_threads';
import { type CaptureChunk, ChunkReader } from '../../inputs/capture-chunk.ts';
import { unreadLinkType } from '../../inputs/unread-link-type.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import { packError } from '../worker-messages.ts';
import { PortionWorker } from './portion.ts';
import { Gate, Turns, TurnsFailed } from './turns.ts';
import type { DecapWorkerStart, Task, TaskResult } from './task.ts';

const { work, turns: turnsMemory, chunkState, chunkBytes } = workerData as DecapWorkerStart;
const turns = new Turns(turnsMemory);
const state = new Float64Array(chunkState);
const reader = new ChunkReader(chunkBytes);
const portion = new PortionWorker(work, turns);

/** Never rejects. */
export async function runTask(task: Task): Promise<TaskResult> {
  const result: TaskResult = { delivered: 0, written: 0 };
  try {
    if (task.kind === 'chunks') runChunks(task, result);
    else await runWhole(task, result);
  } catch (error) {
    turns.fail();
    if (!(error instanceof TurnsFailed)) result.failure = packError(error);
  }
  return result;
}

function runChunks({ file, firstUnit, taken }: Task & { kind: 'chunks' }, result: TaskResult): void {
  const next = new Int32Array(taken);
  for (;;) {
    const index = Atomics.add(next, 0, 1);
    const from = index * chunkBytes;
    if (from >= file.totalBytes) return;
    const to = Math.min(from + chunkBytes, file.totalBytes);
    runChunk(firstUnit + index, { ...file, from, to }, result);
  }
}

function runChunk(unit: number, chunk: CaptureChunk, result: TaskResult): void {
  if (!turns.stopped) reader.read(chunk);
  turns.await(Gate.decode, unit);
  let error: unknown;
  if (turns.stopped) reader.end(state);
  else error = reader.decode(chunk, state);
  turns.pass(Gate.decode, unit);

  for (let index = 0; index < reader.batchCount; index++) look(reader.batches[index], result);
  portion.receive(reader.batches, reader.batchCount);
  turns.await(Gate.lanes, unit);
  if (turns.stopped) return turns.pass(Gate.lanes, unit);
  if (error !== undefined) result.error = packError(error);
  settle(result);
  turns.pass(Gate.lanes, unit);
  result.written += portion.write(reader.batches, reader.batchCount);
}

/** Keeps the turn for lanes until the end of the file: how much of it is to come, nobody knows. */
async function runWhole({ unit, path }: Task & { kind: 'whole' }, result: TaskResult): Promise<void> {
  turns.await(Gate.decode, unit);
  turns.pass(Gate.decode, unit);
  // with decompression behind it: most runs have only files that are cut into chunks
  const { CaptureFileInput } = await import('../../inputs/capture-file.ts');
  const input = new CaptureFileInput({ path, chunkBytes });
  let failure: Error | undefined;
  const deliver = (batch: PacketBatch): Promise<void> => {
    try {
      look(batch, result);
      portion.receive([batch], 1);
      turns.await(Gate.lanes, unit);
      if (turns.stopped) void input.close();
      else {
        settle(result);
        result.written += portion.write([batch], 1);
      }
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(String(error));
      void input.close();
    }
    return Promise.resolve();
  };
  let error: unknown;
  try {
    await input.open();
    await input.run(deliver);
  } catch (thrown) {
    error = thrown;
  } finally {
    await input.close();
  }
  if (failure !== undefined) throw failure;
  turns.await(Gate.lanes, unit);
  if (error !== undefined && !turns.stopped) result.error = packError(error);
  turns.pass(Gate.lanes, unit);
}

function look(batch: PacketBatch | undefined, result: TaskResult): void {
  if (batch === undefined || result.unreadLinkType !== undefined) return;
  const linkType = unreadLinkType(batch);
  if (linkType !== undefined) result.unreadLinkType = linkType;
}

function settle(result: TaskResult): void {
  result.delivered += portion.settle();
  portion.plan();
}
