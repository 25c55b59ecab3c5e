import type { MirrorError } from '../../observe/error.ts';
import type { SteeringOptions } from '../bpf/steering.ts';
import { tunnelFilter } from '../bpf/tunnel-filter.ts';
import type { BoundSocket, IntakeNote, IntakeSet } from '../intake-set.ts';
import { steeringName } from '../steering-names.ts';
import { Bell } from './bell.ts';
import type { HostAddresses, IpVersion } from './host-addresses.ts';
import type { InterfaceFacts, InterfaceWish } from './interfaces.ts';
import type { RingHandle } from './ring-handle.ts';
import { attachFilter, closeRing, newDrops } from './ring-socket.ts';

/** The rings of one interface and version of IP, by worker. */
export interface Group {
  readonly interfaceName: string;
  readonly version: IpVersion;
  readonly rings: readonly RingHandle[];
}

export interface RingSetOptions extends SteeringOptions {
  readonly workers: number;
  readonly interface: InterfaceWish;
  readonly ports: readonly number[];
  readonly groups: readonly Group[];
  /** Descriptors that hold the ports. */
  readonly guards: readonly number[];
  /** The words of the workers. */
  readonly wakes: readonly SharedArrayBuffer[];
  readonly address: string;
  readonly addresses: HostAddresses;
  readonly refusal: MirrorError | undefined;
  readonly notes: readonly IntakeNote[];
  readonly facts: InterfaceFacts;
}

/** All packet rings of all workers. Packets come once it is made. */
export class RingSet implements IntakeSet<RingHandle> {
  readonly handles: readonly (readonly RingHandle[])[];
  readonly steering: string;
  readonly notes: readonly IntakeNote[];
  readonly #options: RingSetOptions;
  /** Interfaces that are read, or of which was said that they are not. */
  readonly #known: Set<string>;
  readonly #bell: Bell;
  #drops = 0;

  constructor(options: RingSetOptions) {
    const { workers, steering, refusal, notes, groups } = options;
    this.#options = options;
    this.notes = notes;
    this.steering = workers === 1 ? 'one worker' : steeringName(steering, refusal);
    this.handles = Array.from({ length: workers }, (_, worker) =>
      groups.flatMap(({ rings }) => rings.slice(worker, worker + 1)),
    );
    this.#known = new Set(groups.map(({ interfaceName }) => interfaceName));
    this.#attachFilters();
    this.#bell = new Bell(options.guards, options.address.includes(':'), options.wakes);
  }

  kernelDrops(): number {
    for (const ring of this.handles.flat()) this.#drops += newDrops(ring);
    return this.#drops;
  }

  /** Lets packets to new addresses in, and workers sleep. A new interface is not read, but said. */
  refresh(): readonly IntakeNote[] {
    try {
      this.#bell.tend();
      if (this.#options.addresses.look()) this.#attachFilters();
      return this.#newInterfaces();
    } catch (error) {
      const message = 'Packets to new addresses of this host are refused.';
      return [{ message, fields: { error, remedy: 'restart mirrortap' } }];
    }
  }

  bound(): readonly BoundSocket[] {
    return [];
  }

  close(): void {
    for (const ring of this.handles.flat()) closeRing(ring);
    this.#bell.close();
  }

  #attachFilters(): void {
    const { groups, ports, addresses } = this.#options;
    for (const { interfaceName, version, rings } of groups) {
      const program = tunnelFilter({
        ports,
        addresses4: version === 4 ? addresses.wanted(4, interfaceName) : 'none',
        addresses6: version === 6 ? addresses.wanted(6, interfaceName) : 'none',
        taggedToo: true,
      });
      for (const ring of rings) attachFilter(ring, program);
    }
  }

  #newInterfaces(): IntakeNote[] {
    const { interface: wish, facts } = this.#options;
    if (wish !== 'auto') return [];
    const added = facts.withAddress().filter((name) => !this.#known.has(name) && !facts.isPort(name));
    for (const name of added) this.#known.add(name);
    const message = 'A network interface has come that packet rings do not read.';
    return added.map((name) => ({ message, fields: { interface: name, remedy: 'restart mirrortap' } }));
  }
}
