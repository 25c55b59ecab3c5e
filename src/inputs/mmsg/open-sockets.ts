import { closeDescriptor, getIntOption } from '../../native/socket.ts';
import { level, socketOption } from '../../native/constants.ts';
import type { SteeringOptions } from '../bpf/steering.ts';
import type { BoundSocket, IntakeNote, IntakeSet } from '../intake-set.ts';
import { openPortGroup, type PortGroup, type PortGroupOptions } from './port-group.ts';
import { SocketDrops } from './socket-drops.ts';
import type { SocketHandle } from './socket-handle.ts';

/** What decides where a packet goes, for people. */
const steeringNames: Readonly<Record<SteeringOptions['steering'], string>> = {
  flow: 'inner addresses',
  'flow-ports': 'inner addresses and ports',
  vni: 'VNI',
};

/**
 * Opens one UDP socket a port and worker, to be read with recvmmsg. Needs no privilege; `loadNative` has been called.
 *
 * @throws MirrorError `UDP_BIND_FAILED` with address and port, or `SYSTEM_CALL_FAILED` where the kernel lacks something
 *   else; then no socket stays open
 */
export function openSockets(options: PortGroupOptions): Promise<IntakeSet<SocketHandle>> {
  const groups: PortGroup[] = [];
  try {
    for (const port of [...options.vxlanPorts, ...options.genevePorts]) {
      groups.push(openPortGroup(options, port));
    }
    return Promise.resolve(new SocketSet(options, groups));
  } catch (error) {
    for (const { sockets } of groups) for (const { descriptor } of sockets) closeDescriptor(descriptor);
    return Promise.reject(error as Error);
  }
}

/** All sockets of all workers. */
class SocketSet implements IntakeSet<SocketHandle> {
  readonly handles: readonly (readonly SocketHandle[])[];
  readonly steering: string;
  readonly notes: readonly IntakeNote[];
  readonly #sockets: readonly SocketHandle[];
  readonly #drops: readonly SocketDrops[];

  constructor({ workers, steering }: PortGroupOptions, groups: readonly PortGroup[]) {
    this.#sockets = groups.flatMap(({ sockets }) => sockets);
    this.handles = Array.from({ length: workers }, (_, worker) =>
      this.#sockets.filter((socket) => socket.worker === worker),
    );
    this.#drops = this.#sockets.map((socket) => new SocketDrops(socket));
    const refusal = groups.map((group) => group.refusal).find((error) => error !== undefined);
    this.steering =
      refusal === undefined
        ? steeringNames[steering]
        : `outer addresses and ports (the kernel refused the program: ${String(refusal.context['errno'])})`;
    this.notes = refusal === undefined ? [] : [unsteered(refusal.message)];
  }

  kernelDrops(): number {
    return this.#drops.reduce((sum, drops) => sum + drops.look(), 0);
  }

  /** Nothing depends on the addresses of this host: the kernel delivers to the sockets whatever is for them. */
  refresh(): void {}

  bound(): BoundSocket[] {
    return this.#sockets.map(({ worker, port, descriptor }) => ({
      worker,
      port,
      receiveBufferBytes: getIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUF),
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
