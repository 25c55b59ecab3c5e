import { family, ipv6Option, level, socketOption, socketType } from '../../native/constants.ts';
import {
  attachProgram,
  bindSocket,
  closeDescriptor,
  getIntOption,
  openSocket,
  setIntOption,
  socketAddress,
} from '../../native/socket.ts';
import { MirrorError } from '../../observe/error.ts';
import { blockOf } from '../../wire/block.ts';
import { bindFailed } from '../bind-failed.ts';
import { dropAll } from '../bpf/program.ts';
import { reusePortProgram, type SteeringOptions } from '../bpf/steering.ts';
import { listenAddress } from '../listen-address.ts';
import { port as portOf } from '../socket-address.ts';
import { SOCKET_STATE_BYTES, type SocketHandle } from './socket-handle.ts';

export interface PortGroupOptions extends SteeringOptions {
  /** Sockets of the group; at least 1. */
  readonly workers: number;
  /** Address to bind: IPv4, or IPv6, where `::` takes both families. */
  readonly address: string;
  /** What is asked of the kernel for each socket; it may grant less. */
  readonly receiveBufferBytes: number;
}

/** The sockets that share one port (SO_REUSEPORT), in the order of their workers. */
export interface PortGroup {
  readonly sockets: readonly SocketHandle[];
  /** Why the kernel spreads datagrams by outer addresses and ports; `undefined`: it does not. */
  readonly refusal: MirrorError | undefined;
}

/**
 * Opens the sockets of one port. The kernel numbers the members of the group as they are bound, and the program that
 * picks one is there before the first. Until the last is bound a filter drops what comes: a packet that is too early is
 * not given to the wrong worker.
 *
 * @throws MirrorError `UDP_BIND_FAILED` or `SYSTEM_CALL_FAILED`; then nothing stays open
 */
export function openPortGroup(options: PortGroupOptions, port: number): PortGroup {
  const descriptors: number[] = [];
  try {
    for (let worker = 0; worker < options.workers; worker++) descriptors.push(openUnbound(options, port));
    const refusal = steer(descriptors, options, port);
    let bound = port;
    for (const descriptor of descriptors) bound = bindTo(descriptor, options.address, bound);
    for (const descriptor of descriptors) {
      setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_DETACH_FILTER, 0);
    }
    const sockets = descriptors.map((descriptor, worker) => ({
      descriptor,
      port: bound,
      worker,
      receiveBufferBytes: getIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUF),
      state: new SharedArrayBuffer(SOCKET_STATE_BYTES),
    }));
    return { sockets, refusal };
  } catch (error) {
    for (const descriptor of descriptors) closeDescriptor(descriptor);
    throw error;
  }
}

function openUnbound(options: PortGroupOptions, port: number): number {
  const { address, receiveBufferBytes } = options;
  const isInet6 = address.includes(':');
  let descriptor: number;
  try {
    descriptor = openSocket(isInet6 ? family.AF_INET6 : family.AF_INET, socketType.SOCK_DGRAM, 0);
  } catch (cause) {
    throw bindFailed(address, port, cause);
  }
  try {
    if (isInet6) setIntOption(descriptor, level.IPPROTO_IPV6, ipv6Option.IPV6_V6ONLY, 0);
    for (const option of [socketOption.SO_REUSEPORT, socketOption.SO_TIMESTAMPNS, socketOption.SO_RXQ_OVFL]) {
      setIntOption(descriptor, level.SOL_SOCKET, option, 1);
    }
    growReceiveBuffer(descriptor, receiveBufferBytes);
    attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, dropAll);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}

/** With CAP_NET_ADMIN the limit net.core.rmem_max does not count; without it the kernel grants up to the limit. */
function growReceiveBuffer(descriptor: number, bytes: number): void {
  try {
    setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUFFORCE, bytes);
  } catch {
    setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUF, bytes);
  }
}

/** Gives the group its program, before it has members: where the first one goes, the others find it. */
function steer(
  descriptors: readonly number[],
  options: PortGroupOptions,
  port: number,
): MirrorError | undefined {
  const [first] = descriptors;
  if (first === undefined || descriptors.length === 1) return undefined;
  const program = reusePortProgram(options, port, descriptors.length);
  try {
    attachProgram(first, level.SOL_SOCKET, socketOption.SO_ATTACH_REUSEPORT_CBPF, program);
    return undefined;
  } catch (error) {
    if (error instanceof MirrorError) return error;
    throw error;
  }
}

/** @returns the port, which the kernel has chosen where it was 0 */
function bindTo(descriptor: number, address: string, port: number): number {
  try {
    bindSocket(descriptor, listenAddress(address, port));
    return portOf(blockOf(socketAddress(descriptor)).view, 0);
  } catch (cause) {
    throw bindFailed(address, port, cause);
  }
}
