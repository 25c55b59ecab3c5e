import { capability, family, socketType } from '../../native/constants.ts';
import { raiseCapability } from '../../native/capability.ts';
import type { FrameVector } from '../../native/frame-vector.ts';
import { type InterfaceState, interfaceState } from '../../native/interface.ts';
import { loadNative } from '../../native/library.ts';
import { trySendMessages } from '../../native/messages.ts';
import { closeDescriptor, openSocket } from '../../native/socket.ts';
import { MirrorError } from '../../observe/error.ts';

/** A network interface as it is now. */
export interface FoundInterface {
  /** The kernel's number. */
  readonly index: number;
  /** Longest IP packet. */
  readonly mtuBytes: number;
}

/** What the sink needs of the kernel; a test hands in its own. */
export interface Network {
  /** @throws MirrorError `NATIVE_UNAVAILABLE`, `SYSTEM_CALL_FAILED` */
  open(): Promise<void>;
  /** @throws MirrorError `INTERFACE_UNKNOWN`, `INTERFACE_DOWN`, `INTERFACE_UNFIT` */
  find(name: string): FoundInterface;
  /** As `trySendMessages`. */
  send(vector: FrameVector, from: number, count: number): number;
  close(): void;
}

/**
 * One packet socket, bound to nothing: each frame says where it goes. Of protocol 0, so that it receives nothing.
 *
 * Frames pass the queueing discipline of the interface: PACKET_QDISC_BYPASS would also pass by the packet sockets of others
 * there, tcpdump's and Suricata's, which is what the frames are for.
 */
export class PacketNetwork implements Network {
  #descriptor = -1;

  async open(): Promise<void> {
    const missing = await loadNative();
    if (missing !== undefined) throw new MirrorError('NATIVE_UNAVAILABLE', missing, { sink: 'inject' });
    this.openNow();
  }

  /** The same after `loadNative`, in this turn of the event loop. */
  openNow(): void {
    raiseCapability(capability.CAP_NET_RAW);
    this.#descriptor = openSocket(family.AF_PACKET, socketType.SOCK_RAW, 0);
  }

  find(name: string): FoundInterface {
    return findInterface(this.#descriptor, name);
  }

  send(vector: FrameVector, from: number, count: number): number {
    return trySendMessages(this.#descriptor, vector, from, count);
  }

  close(): void {
    if (this.#descriptor >= 0) closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }
}

/**
 * Looks an interface up that frames are to be written to.
 *
 * @param descriptor any socket of the network namespace
 * @throws MirrorError `INTERFACE_UNKNOWN`, `INTERFACE_DOWN`, `INTERFACE_UNFIT`
 */
function findInterface(descriptor: number, name: string): FoundInterface {
  const { isUp, isEthernet, index, mtuBytes } = stateOf(descriptor, name);
  const context = { interface: name };
  if (!isEthernet) {
    const message = `The network interface ${name} takes no Ethernet frames: a veth, a dummy or a TAP does.`;
    throw new MirrorError('INTERFACE_UNFIT', message, context);
  }
  if (!isUp) {
    const message = `The network interface ${name} is down: ip link set ${name} up.`;
    throw new MirrorError('INTERFACE_DOWN', message, context);
  }
  return { index, mtuBytes };
}

function stateOf(descriptor: number, name: string): InterfaceState {
  try {
    return interfaceState(descriptor, name);
  } catch (cause) {
    if (!(cause instanceof MirrorError) || cause.context['errno'] !== 'ENODEV') throw cause;
    const remedy = `ip link add ${name} mtu 9001 type dummy && ip link set ${name} up makes one.`;
    const message = `There is no network interface ${name}. ${remedy}`;
    throw new MirrorError('INTERFACE_UNKNOWN', message, { interface: name }, { cause });
  }
}
