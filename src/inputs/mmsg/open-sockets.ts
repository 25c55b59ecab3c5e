import { closeDescriptor } from '../../native/socket.ts';
import type { BoundSocket, IntakeNote, IntakeSet } from '../intake-set.ts';
import { steeringName } from '../steering-names.ts';
import { openPortGroup, type PortGroup, type PortGroupOptions } from './port-group.ts';
import { SocketDrops } from './socket-drops.ts';
import type { SocketHandle } from './socket-handle.ts';

/**
 * Opens one UDP socket a port and worker, to be read with recvmmsg. Needs no privilege; `loadNative` has been called.
 *
 * @throws MirrorError `UDP_BIND_FAILED` with address and port, or `SYSTEM_CALL_FAILED` where the kernel lacks something
 *   else; then no socket stays open
 */
export async function openSockets(options: PortGroupOptions): Promise<IntakeSet<SocketHandle>> {
  const groups: PortGroup[] = [];
  try {
    for (const port of [...options.vxlanPorts, ...options.genevePorts]) {
      groups.push(openPortGroup(options, port));
    }
    return new SocketSet(options, groups);
  } catch (error) {
    for (const { sockets } of groups) for (const { descriptor } of sockets) closeDescriptor(descriptor);
    throw error;
  }
}

/** All sockets of all workers. */
class SocketSet implements IntakeSet<SocketHandle> {
  readonly handles: readonly (readonly SocketHandle[])[];
  readonly steering: string;
  readonly details: IntakeSet<SocketHandle>['details'];
  readonly notes: readonly IntakeNote[];
  readonly #sockets: readonly SocketHandle[];
  readonly #drops: readonly SocketDrops[];

  constructor({ workers, steering }: PortGroupOptions, groups: readonly PortGroup[]) {
    this.#sockets = groups.flatMap(({ sockets }) => sockets);
    this.handles = Array.from({ length: workers }, (_, worker) =>
      this.#sockets.filter((socket) => socket.worker === worker),
    );
    const granted = this.#sockets.map(({ receiveBufferBytes }) => receiveBufferBytes);
    this.details = { receiveBufferBytes: Math.min(...granted) };
    this.#drops = this.#sockets.map((socket) => new SocketDrops(socket));
    const refusal = groups.map((group) => group.refusal).find((error) => error !== undefined);
    this.steering = workers === 1 ? 'one worker' : steeringName(steering, refusal);
    this.notes = refusal === undefined ? [] : [unsteered(refusal.message)];
  }

  kernelDrops(): number {
    return this.#drops.reduce((sum, drops) => sum + drops.look(), 0);
  }

  /** Nothing depends on the addresses of this host: the kernel delivers to the sockets whatever is for them. */
  refresh(): readonly IntakeNote[] {
    return [];
  }

  bound(): BoundSocket[] {
    return this.#sockets.map(({ worker, port, receiveBufferBytes }) => ({
      worker,
      port,
      receiveBufferBytes,
    }));
  }

  close(): void {
    for (const { descriptor } of this.#sockets) closeDescriptor(descriptor);
  }
}

function unsteered(error: string): IntakeNote {
  const message =
    'The kernel does not look into the tunnels: the two directions of a connection may come to different workers.';
  return { message, fields: { error, remedy: 'set workers: 1, or use listen.mode: ring' } };
}
