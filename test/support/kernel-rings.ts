import type { IntakeSet } from '../../src/inputs/intake-set.ts';
import { type OpenRingsOptions, openRingsNow } from '../../src/inputs/ring/open-rings.ts';
import type { RingHandle } from '../../src/inputs/ring/ring-handle.ts';
import { RingInput } from '../../src/inputs/ring/ring-input.ts';
import { inNamespace, requiresNamespaces, type TestNetwork } from './namespaces.ts';
import { requiresNative } from './native.ts';
import { Collector } from './socket-traffic.ts';

/** True where packet rings can be opened in namespaces. */
export async function requiresRings(): Promise<boolean> {
  return [requiresNamespaces(), await requiresNative()].every(Boolean);
}

/** The rings of the receiver of a test network: one worker, all interfaces, 4 MiB, unless `options` say otherwise. */
export function ringsOf(
  network: TestNetwork,
  options: Partial<OpenRingsOptions> = {},
): IntakeSet<RingHandle> {
  return inNamespace(network.receiver, () =>
    openRingsNow({
      workers: 1,
      address: '0.0.0.0',
      vxlanPorts: [4789],
      genevePorts: [6081],
      interface: 'auto',
      ringBytes: 4_194_304,
      retireMs: 8,
      steering: 'flow',
      ...options,
    }),
  );
}

/** What runs while a test does its work. */
export interface RunningRings {
  readonly set: IntakeSet<RingHandle>;
  /** One for each worker. */
  readonly workers: readonly Collector[];
  /** Reads what the kernel still holds, and stops. */
  stop(): Promise<void>;
}

/** Does work while the rings are read, and closes them afterwards. */
export async function withRings(
  network: TestNetwork,
  options: Partial<OpenRingsOptions>,
  work: (running: RunningRings) => Promise<void>,
): Promise<void> {
  const set = ringsOf(network, options);
  const inputs = set.handles.map((rings) => new RingInput({ rings }));
  await Promise.all(inputs.map((input) => input.open()));
  const workers = inputs.map((input) => new Collector(input));
  const stop = async (): Promise<void> => {
    await Promise.all(inputs.map((input) => input.close()));
    await Promise.all(workers.map((worker) => worker.ended));
  };
  try {
    await work({ set, workers, stop });
  } finally {
    await stop();
    set.close();
  }
}
