import type { Input } from '../pipeline/input.ts';
import { DgramInput } from './dgram.ts';
import type { WorkerIntake } from './intake.ts';
import type { BoundSocket } from './intake-set.ts';
import { MmsgInput } from './mmsg/mmsg-input.ts';
import { RingInput } from './ring/ring-input.ts';

export interface LiveInputOptions {
  readonly worker: number;
  readonly address: string;
  readonly vxlanPorts: readonly number[];
  readonly genevePorts: readonly number[];
  readonly receiveBufferBytes: number;
  /** Milliseconds since the epoch with fractions, for packets whose arrival the kernel does not tell. */
  readonly now: () => number;
}

/** The input of one worker, for what the main thread opened for it. */
export function makeLiveInput(intake: WorkerIntake, options: LiveInputOptions): Input {
  const { now } = options;
  if (intake.mode === 'ring') return new RingInput({ rings: intake.handles });
  if (intake.mode === 'mmsg') return new MmsgInput({ sockets: intake.handles, now });
  return new DgramInput({ ...options, ports: [...options.vxlanPorts, ...options.genevePorts] });
}

/** The sockets that a worker's input opened itself, once it is open. */
export function boundByWorker(input: Input): readonly BoundSocket[] {
  return input instanceof DgramInput ? input.bound() : [];
}
