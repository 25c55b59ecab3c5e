import { MirrorError } from '../observe/error.ts';
import { raiseCapability } from '../native/capability.ts';
import { capability } from '../native/constants.ts';
import { loadNative } from '../native/library.ts';
import type { BoundSocket, IntakeNote, IntakeSet } from './intake-set.ts';
import { openSockets } from './mmsg/open-sockets.ts';
import type { SocketHandle } from './mmsg/socket-handle.ts';
import type { InterfaceWish } from './ring/interfaces.ts';
import { openRings } from './ring/open-rings.ts';
import type { RingHandle } from './ring/ring-handle.ts';
import { refuseTakenPorts } from './taken-ports.ts';

/** How packets are taken from the kernel, the cheapest first; see the settings. */
export const intakeModes = ['ring', 'mmsg', 'dgram'] as const;
export type IntakeMode = (typeof intakeModes)[number];

/** What one worker reads from. Plain data: it crosses to the thread as it is. */
export type WorkerIntake =
  | { readonly mode: 'ring'; readonly handles: readonly RingHandle[] }
  | { readonly mode: 'mmsg'; readonly handles: readonly SocketHandle[] }
  | { readonly mode: 'dgram' };

/** What of the settings decides how packets come in. */
export interface IntakeOptions {
  readonly workers: number;
  readonly mode: 'auto' | IntakeMode;
  readonly address: string;
  readonly interface: InterfaceWish;
  readonly vxlanPorts: readonly number[];
  readonly genevePorts: readonly number[];
  readonly receiveBufferBytes: number;
  readonly ring: { readonly bytes: number; readonly retireMs: number };
  readonly steering: 'flow' | 'flow-ports' | 'vni';
}

/** Why a mode is not the one: a sentence. */
export interface RefusedMode {
  readonly mode: IntakeMode;
  readonly why: string;
}

/** Everything through which packets come in, held open by the main thread. */
export interface Intake {
  readonly mode: IntakeMode;
  /** Cheaper modes that could not be had. */
  readonly refused: readonly RefusedMode[];
  readonly workers: readonly WorkerIntake[];
  readonly steering: string;
  readonly details: IntakeSet<unknown>['details'];
  readonly notes: readonly IntakeNote[];
  /** Packets the kernel dropped since it was opened; `undefined` where the workers' own sockets count them. */
  kernelDrops(): number | undefined;
  /** See `IntakeSet`. */
  refresh(): readonly IntakeNote[];
  bound(): readonly BoundSocket[];
  close(): void;
}

/**
 * Opens what workers read from, in the asked mode, or for `auto` in the cheapest that can be had.
 *
 * @throws MirrorError `UDP_BIND_FAILED` where a port is taken, whatever the mode; with a mode that was asked for, also
 *   what refuses that one
 */
export async function openIntake(options: IntakeOptions): Promise<Intake> {
  await refuseTakenPorts(options.address, new Set([...options.vxlanPorts, ...options.genevePorts]));
  if (options.mode !== 'auto') return open(options.mode, options, []);

  const refused: RefusedMode[] = [];
  for (const mode of intakeModes) {
    try {
      return await open(mode, options, refused);
    } catch (error) {
      // no other mode gets a port that is taken
      if (!(error instanceof MirrorError) || error.code === 'UDP_BIND_FAILED') throw error;
      refused.push({ mode, why: error.message });
    }
  }
  return openDgram(options, refused);
}

async function open(
  mode: IntakeMode,
  options: IntakeOptions,
  refused: readonly RefusedMode[],
): Promise<Intake> {
  if (mode === 'dgram') return openDgram(options, refused);
  const missing = await loadNative();
  if (missing !== undefined) throw new MirrorError('NATIVE_UNAVAILABLE', missing, { mode });
  if (mode === 'ring') {
    raiseCapability(capability.CAP_NET_RAW);
    const { ring, ...rest } = options;
    const set = await openRings({ ...rest, ringBytes: ring.bytes, retireMs: ring.retireMs });
    return intakeOf(mode, set, refused, (handles) => ({ mode, handles }));
  }
  const set = await openSockets(options);
  return intakeOf(mode, set, refused, (handles) => ({ mode, handles }));
}

function intakeOf<Handle>(
  mode: IntakeMode,
  set: IntakeSet<Handle>,
  refused: readonly RefusedMode[],
  ofWorker: (handles: readonly Handle[]) => WorkerIntake,
): Intake {
  return {
    mode,
    refused,
    workers: set.handles.map(ofWorker),
    steering: set.steering,
    details: set.details,
    notes: set.notes,
    kernelDrops: () => set.kernelDrops(),
    refresh: () => set.refresh(),
    bound: () => set.bound(),
    close: () => set.close(),
  };
}

/** Each worker opens Node's own sockets itself: they end with it, and nothing but the kernel's hash can steer. */
function openDgram({ workers }: IntakeOptions, refused: readonly RefusedMode[]): Intake {
  return {
    mode: 'dgram',
    refused,
    workers: Array.from({ length: workers }, () => ({ mode: 'dgram' })),
    steering: 'outer addresses and ports',
    details: {},
    notes: [],
    kernelDrops: () => undefined,
    refresh: () => [],
    bound: () => [],
    close: () => {},
  };
}
