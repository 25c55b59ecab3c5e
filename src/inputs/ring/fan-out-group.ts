import { fanOut, level, packetOption } from '../../native/constants.ts';
import { attachProgram, getIntOption, setIntOption } from '../../native/socket.ts';
import type { Program } from '../bpf/program.ts';
import { closeRing, openRingSocket, type RingSocketOptions } from './ring-socket.ts';
import type { RingHandle } from './ring-handle.ts';

/** What decides which member gets a packet. */
export type Demux =
  /** A program: its result modulo the number of members. */
  | { readonly kind: 'program'; readonly program: Program }
  /** The kernel's hash of the outer addresses and ports. */
  | { readonly kind: 'hash' }
  /** There is but one. */
  | { readonly kind: 'single' };

const types = {
  program: fanOut.PACKET_FANOUT_CBPF,
  hash: fanOut.PACKET_FANOUT_HASH,
  // costs least
  single: fanOut.PACKET_FANOUT_CPU,
} as const;

/**
 * Opens the rings of one interface and version of IP, one a worker, as a fan-out group (packet(7), PACKET_FANOUT): the
 * kernel deals packets out to its members, in the order in which they joined. IPv4 fragments are put together first,
 * which is why there is a group for a single ring, too.
 *
 * Nothing comes before the members are given another filter, so that no packet goes to the wrong one while others join.
 *
 * @param wakes the words of the workers
 * @throws MirrorError; then nothing stays open
 */
export function openGroup(
  options: Omit<RingSocketOptions, 'wake'>,
  wakes: readonly SharedArrayBuffer[],
  demux: Demux,
): RingHandle[] {
  const rings: RingHandle[] = [];
  try {
    let group: number | undefined;
    for (const wake of wakes) {
      const ring = openRingSocket({ ...options, wake });
      rings.push(ring);
      if (group === undefined) group = found(ring, demux);
      else join(ring, demux, group);
    }
    return rings;
  } catch (error) {
    for (const ring of rings) closeRing(ring);
    throw error;
  }
}

/** @returns the number of the new group, which the kernel chose: no other program has it */
function found(ring: RingHandle, demux: Demux): number {
  join(ring, demux, 0, fanOut.PACKET_FANOUT_FLAG_UNIQUEID);
  const { descriptor } = ring;
  if (demux.kind === 'program') {
    attachProgram(descriptor, level.SOL_PACKET, packetOption.PACKET_FANOUT_DATA, demux.program);
  }
  return getIntOption(descriptor, level.SOL_PACKET, packetOption.PACKET_FANOUT) & 0xffff;
}

/** The option's value: number of the group in the low half, type and flags in the high one. */
function join({ descriptor }: RingHandle, { kind }: Demux, group: number, flags = 0): void {
  const type = types[kind] | fanOut.PACKET_FANOUT_FLAG_DEFRAG | flags;
  setIntOption(descriptor, level.SOL_PACKET, packetOption.PACKET_FANOUT, (type << 16) | group);
}
