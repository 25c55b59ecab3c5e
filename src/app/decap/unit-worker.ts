/** A thread of a decap with several workers: takes one piece of the input after the other. Started by piscina. */
import { workerData } from 'node:worker_threads';
import { ChunkReader } from '../../inputs/capture-chunk.ts';
import { CaptureFileInput } from '../../inputs/capture-file.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import { packError } from '../worker-messages.ts';
import { PortionWorker } from './portion.ts';
import { Gate, Turns, TurnsFailed } from './turns.ts';
import type { Unit, UnitResult, UnitWorkerStart } from './unit.ts';

const { work, turns: turnsMemory, chunkState, chunkBytes } = workerData as UnitWorkerStart;
const turns = new Turns(turnsMemory);
const state = new Float64Array(chunkState);
const reader = new ChunkReader(chunkBytes);
const portion = new PortionWorker(work, turns);

/** Never rejects. */
export async function runUnit(unit: Unit): Promise<UnitResult> {
  const result: UnitResult = { delivered: 0, written: 0 };
  try {
    if (unit.kind === 'chunk') runChunk(unit, result);
    else await runFile(unit, result);
  } catch (error) {
    turns.fail();
    if (!(error instanceof TurnsFailed)) result.failure = packError(error);
  }
  return result;
}

function runChunk({ unit, chunk }: Unit & { kind: 'chunk' }, result: UnitResult): void {
  if (!turns.stopped) reader.read(chunk);
  turns.await(Gate.decode, unit);
  let error: unknown;
  if (turns.stopped) reader.end(state);
  else error = reader.decode(chunk, state);
  turns.pass(Gate.decode, unit);

  portion.receive(reader.batches, reader.batchCount);
  turns.await(Gate.lanes, unit);
  if (turns.stopped) return turns.pass(Gate.lanes, unit);
  if (error !== undefined) result.error = packError(error);
  settle(result);
  turns.pass(Gate.lanes, unit);
  result.written = portion.write(reader.batches, reader.batchCount);
}

/** Keeps the turn for lanes until the end of the file: how much of it is to come, nobody knows. */
async function runFile({ unit, path }: Unit & { kind: 'file' }, result: UnitResult): Promise<void> {
  turns.await(Gate.decode, unit);
  turns.pass(Gate.decode, unit);
  const input = new CaptureFileInput({ path, chunkBytes });
  let failure: Error | undefined;
  const deliver = (batch: PacketBatch): Promise<void> => {
    try {
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

function settle(result: UnitResult): void {
  result.delivered += portion.settle();
  portion.plan();
}
