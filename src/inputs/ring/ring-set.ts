import type { MirrorError } from '../../observe/error.ts';
import type { SteeringOptions } from '../bpf/steering.ts';
import { tunnelFilter } from '../bpf/tunnel-filter.ts';
import type { BoundSocket, IntakeNote, IntakeSet } from '../intake-set.ts';
import { steeringName } from '../steering-names.ts';
import { Bell } from './bell.ts';
import type { HostAddresses, IpVersion } from './host-addresses.ts';
import { InterfaceWatch, type WatchOptions } from './interface-watch.ts';
import type { RingHandle } from './ring-handle.ts';
import { attachFilter, closeRing, newDrops } from './ring-socket.ts';

/** The rings of one interface and version of IP, by worker. */
export interface Group {
  readonly interfaceName: string;
  /** The kernel's number of the interface. */
  readonly interfaceIndex: number;
  readonly version: IpVersion;
  readonly rings: readonly RingHandle[];
}

export interface RingSetOptions extends SteeringOptions, WatchOptions {
  readonly workers: number;
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
}

/** All packet rings of all workers. Packets come once it is made. */
export class RingSet implements IntakeSet<RingHandle> {
  readonly handles: readonly (readonly RingHandle[])[];
  readonly steering: string;
  readonly details: IntakeSet<RingHandle>['details'];
  readonly notes: readonly IntakeNote[];
  readonly #options: RingSetOptions;
  readonly #watch: InterfaceWatch;
  readonly #bell: Bell;
  /** There are addresses that the filters do not know. */
  #isStale = false;
  /** The last look has failed. */
  #isFailing = false;
  #drops = 0;

  constructor(options: RingSetOptions) {
    const { workers, steering, refusal, notes, groups } = options;
    this.#options = options;
    this.notes = notes;
    this.steering = workers === 1 ? 'one worker' : steeringName(steering, refusal);
    this.handles = Array.from({ length: workers }, (_, worker) =>
      groups.flatMap(({ rings }) => rings.slice(worker, worker + 1)),
    );
    this.#watch = new InterfaceWatch(options);
    this.details = { interfaces: [...new Set(groups.map((group) => group.interfaceName))].join(',') };
    this.#attachFilters();
    this.#bell = new Bell(options.guards, options.address.includes(':'), options.wakes);
  }

  kernelDrops(): number {
    for (const ring of this.handles.flat()) this.#drops += newDrops(ring);
    return this.#drops;
  }

  /** Lets packets to new addresses in, and workers sleep. Interfaces that come or go are said. */
  refresh(): readonly IntakeNote[] {
    const notes: IntakeNote[] = [];
    try {
      this.#bell.tend();
      this.#isStale = this.#options.addresses.look() || this.#isStale;
      if (this.#isStale) this.#attachFilters();
      this.#isStale = false;
      notes.push(...this.#watch.look());
      this.#isFailing = false;
    } catch (error) {
      const message = 'Packets to new addresses of this host may be refused.';
      if (!this.#isFailing) notes.push({ message, fields: { error, remedy: 'restart mirrortap' } });
      this.#isFailing = true;
    }
    return notes;
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
}
