import { errnoName } from '../../native/failure.ts';
import { family, level, packetOption, socketOption, socketType } from '../../native/constants.ts';
import { interfaceIndex } from '../../native/interface.ts';
import { sockaddrLl } from '../../native/layout.ts';
import { mapMemory, unmapMemory } from '../../native/memory.ts';
import {
  attachProgram,
  bindSocket,
  closeDescriptor,
  getIntOption,
  getOption,
  openSocket,
  setIntOption,
  setOption,
} from '../../native/socket.ts';
import { MirrorError } from '../../observe/error.ts';
import { EtherType } from '../../wire/ether-type.ts';
import { dropAll, type Program } from '../bpf/program.ts';
import type { IpVersion } from './host-addresses.ts';
import { newRingState } from './ring-cursor.ts';
import type { RingHandle } from './ring-handle.ts';
import { ringRequest, ringStatistics, TPACKET_V3 } from './ring-layout.ts';
import type { RingSize } from './ring-size.ts';

/** Of no meaning for TPACKET_V3, but the kernel wants blocks to be a multiple of it. */
const FRAME_BYTES = 2048;

export interface RingSocketOptions extends RingSize {
  readonly interfaceName: string;
  readonly version: IpVersion;
  readonly retireMs: number;
  /** The word of the worker that reads it. */
  readonly wake: SharedArrayBuffer;
}

/**
 * Opens a packet socket with a ring and binds it to an interface. Nothing comes before it is given another filter.
 *
 * The socket is bound to one protocol, IPv4 or IPv6, and not to all: so it gets what this host's own IP stack gets, and
 * where that gets it. With all protocols a packet would come again at each bridge port, bond member or VLAN parent
 * below, packets of VLANs that this host has no part in would come, and fragments that the fan-out group puts together
 * would be swallowed by whichever of two interfaces sees them first. What this host sends does not come either, except
 * over loopback.
 *
 * SOCK_DGRAM: a packet begins with its IP header on every kind of interface.
 *
 * @throws MirrorError `SYSTEM_CALL_FAILED`, `INTERFACE_DOWN`; then nothing stays open
 */
export function openRingSocket(options: RingSocketOptions): RingHandle {
  const { blockBytes, blocks, interfaceName, retireMs, wake } = options;
  const descriptor = openSocket(family.AF_PACKET, socketType.SOCK_DGRAM, 0);
  let address: bigint | undefined;
  try {
    setIntOption(descriptor, level.SOL_PACKET, packetOption.PACKET_VERSION, TPACKET_V3);
    attachFilter({ descriptor }, dropAll);
    setOption(descriptor, level.SOL_PACKET, packetOption.PACKET_RX_RING, requestOf(options));
    address = mapMemory(descriptor, blockBytes * blocks);
    bindSocket(descriptor, bindingOf(options));
    checkUp(descriptor, interfaceName);
    const state = newRingState();
    return { descriptor, address, blockBytes, blocks, interfaceName, retireMs, state, wake };
  } catch (error) {
    if (address !== undefined) unmapMemory(address, blockBytes * blocks);
    closeDescriptor(descriptor);
    throw error;
  }
}

/** Replaces the filter of a socket; no packet slips through between. */
export function attachFilter({ descriptor }: Pick<RingHandle, 'descriptor'>, program: Program): void {
  attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, program);
}

/** Packets that found no room in the ring since this was last asked. */
export function newDrops({ descriptor }: RingHandle): number {
  const statistics = Buffer.alloc(ringStatistics.bytes);
  getOption(descriptor, level.SOL_PACKET, packetOption.PACKET_STATISTICS, statistics);
  return statistics.readUInt32LE(ringStatistics.at.tp_drops);
}

/** Closes the socket and gives its memory back: no thread may look at it any more. */
export function closeRing({ descriptor, address, blockBytes, blocks }: RingHandle): void {
  unmapMemory(address, blockBytes * blocks);
  closeDescriptor(descriptor);
}

function requestOf({ blockBytes, blocks, retireMs }: RingSocketOptions): Buffer {
  const { at, bytes } = ringRequest;
  const request = Buffer.alloc(bytes);
  request.writeUInt32LE(blockBytes, at.tp_block_size);
  request.writeUInt32LE(blocks, at.tp_block_nr);
  request.writeUInt32LE(FRAME_BYTES, at.tp_frame_size);
  request.writeUInt32LE((blockBytes / FRAME_BYTES) * blocks, at.tp_frame_nr);
  request.writeUInt32LE(retireMs, at.tp_retire_blk_tov);
  return request;
}

function bindingOf({ interfaceName, version }: RingSocketOptions): Buffer {
  const { at, bytes } = sockaddrLl;
  const binding = Buffer.alloc(bytes);
  binding.writeUInt16LE(family.AF_PACKET, at.sll_family);
  binding.writeUInt16BE(version === 4 ? EtherType.ipv4 : EtherType.ipv6, at.sll_protocol);
  binding.writeInt32LE(interfaceIndex(interfaceName), at.sll_ifindex);
  return binding;
}

/** The kernel binds to an interface that is down, and keeps the error for later. */
function checkUp(descriptor: number, interfaceName: string): void {
  const errno = getIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_ERROR);
  if (errno === 0) return;
  const message = `The network interface ${interfaceName} is down.`;
  throw new MirrorError('INTERFACE_DOWN', message, { interface: interfaceName, errno: errnoName(errno) });
}
