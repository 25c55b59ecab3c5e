import { loadNative } from '../../native/library.ts';
import { interfaceIndex } from '../../native/interface.ts';
import { closeDescriptor } from '../../native/socket.ts';
import { MirrorError } from '../../observe/error.ts';
import { fanOutProgram, type SteeringOptions } from '../bpf/steering.ts';
import type { IntakeNote, IntakeSet } from '../intake-set.ts';
import { type Demux, openGroup } from './fan-out-group.ts';
import { openGuards } from './guard-sockets.ts';
import { HostAddresses, type IpVersion } from './host-addresses.ts';
import { chooseInterfaces, type InterfaceFacts, type InterfaceWish, system } from './interfaces.ts';
import type { RingHandle } from './ring-handle.ts';
import { type Group, RingSet } from './ring-set.ts';
import { ringSize } from './ring-size.ts';
import { closeRing } from './ring-socket.ts';
import { newWakeWord } from './slumber.ts';

export interface OpenRingsOptions extends SteeringOptions {
  /** At least 1. */
  readonly workers: number;
  /** Packets to this address are taken; `0.0.0.0`: to any IPv4 address of this host, `::`: to any at all. */
  readonly address: string;
  readonly interface: InterfaceWish;
  /** For each worker, divided among its rings. */
  readonly ringBytes: number;
  readonly retireMs: number;
}

/**
 * Opens the packet rings of all workers: for each a ring for every interface and version of IP.
 *
 * @throws MirrorError `NATIVE_UNAVAILABLE`, or what `openRingsNow` throws
 */
export async function openRings(options: OpenRingsOptions): Promise<IntakeSet<RingHandle>> {
  const missing = await loadNative();
  if (missing !== undefined) throw new MirrorError('NATIVE_UNAVAILABLE', missing, { mode: 'ring' });
  return openRingsNow(options);
}

/**
 * The same after `loadNative`, in this turn of the event loop.
 *
 * @throws MirrorError `INTERFACE_UNKNOWN`, `INTERFACE_DOWN`, `UDP_BIND_FAILED`, or `SYSTEM_CALL_FAILED` where rights or
 *   memory are missing; then nothing stays open
 */
export function openRingsNow(
  options: OpenRingsOptions,
  facts: InterfaceFacts = system,
): IntakeSet<RingHandle> {
  const interfaces = chooseInterfaces(options.interface, facts);
  const ports = [...new Set([...options.vxlanPorts, ...options.genevePorts])];
  const guards = openGuards(options.address, ports);
  let groups: readonly Group[] = [];
  try {
    const addresses = new HostAddresses(options.address);
    const wakes = Array.from({ length: options.workers }, newWakeWord);
    const opened = openGroups({ ...options, interfaces, wakes, versions: addresses.versions });
    groups = opened.groups;
    const { refusal } = opened;
    const notes = [...deadEnds(interfaces, facts), ...(refusal === undefined ? [] : [unsteered(refusal)])];
    return new RingSet({ ...options, ports, groups, guards, wakes, addresses, refusal, notes, facts });
  } catch (error) {
    closeGroups(groups);
    for (const descriptor of guards) closeDescriptor(descriptor);
    throw error;
  }
}

interface GroupsOptions extends OpenRingsOptions {
  readonly interfaces: readonly string[];
  readonly versions: readonly IpVersion[];
  /** The words of the workers. */
  readonly wakes: readonly SharedArrayBuffer[];
}

interface OpenGroups {
  readonly groups: readonly Group[];
  /** Why the kernel does not run the program. */
  readonly refusal: MirrorError | undefined;
}

/** All groups with the program, or where the kernel refuses that, all without. */
function openGroups(options: GroupsOptions): OpenGroups {
  if (options.workers === 1) return { groups: openAll(options, { kind: 'single' }), refusal: undefined };
  try {
    const groups = openAll(options, { kind: 'program', program: fanOutProgram(options) });
    return { groups, refusal: undefined };
  } catch (error) {
    if (!(error instanceof MirrorError) || !String(error.context['what']).startsWith('PACKET_FANOUT'))
      throw error;
    return { groups: openAll(options, { kind: 'hash' }), refusal: error };
  }
}

function openAll(options: GroupsOptions, demux: Demux): Group[] {
  const { interfaces, versions, wakes, ringBytes, retireMs } = options;
  const size = ringSize(ringBytes / (interfaces.length * versions.length));
  const groups: Group[] = [];
  try {
    for (const interfaceName of interfaces) {
      for (const version of versions) {
        const rings = openGroup({ ...size, interfaceName, version, retireMs }, wakes, demux);
        groups.push({ interfaceName, interfaceIndex: interfaceIndex(interfaceName), version, rings });
      }
    }
    return groups;
  } catch (error) {
    closeGroups(groups);
    throw error;
  }
}

function closeGroups(groups: readonly Group[]): void {
  for (const { rings } of groups) for (const ring of rings) closeRing(ring);
}

/** Interfaces that were named although nothing can come there. */
function deadEnds(interfaces: readonly string[], facts: InterfaceFacts): IntakeNote[] {
  const message = 'The interface belongs to a bridge or bond, which gets all its packets.';
  const remedy = 'name the bridge or bond in listen.interface, or leave it at auto';
  return interfaces
    .filter((name) => facts.isPort(name))
    .map((name) => ({ message, fields: { interface: name, remedy } }));
}

function unsteered({ message: error }: MirrorError): IntakeNote {
  const message =
    'The kernel does not look into the tunnels: the two directions of a connection may come to different workers.';
  return { message, fields: { error, remedy: 'set workers: 1' } };
}
