import type { Log } from '../../observe/log.ts';
import type { FoundInterface, Network } from './network.ts';
import { INTERFACE_NAME_MAX } from './settings.ts';

/** An exit that nothing left by for so long may be given up for another. */
const IDLE_MS = 60_000;

/** An interface that frames leave by. */
export class Exit {
  readonly name: string;
  /** Its number among the exits. */
  readonly place: number;
  isOpen = false;
  mtuBytes = 0;
  /** When a frame was last meant for it. */
  usedMs: number;
  /** It was said that it cannot be used. */
  saidGone = false;

  constructor(name: string, place: number, nowMs: number) {
    this.name = name;
    this.place = place;
    this.usedMs = nowMs;
  }
}

export interface ExitsOptions {
  /** The user's name of the sink. */
  readonly sink: string;
  readonly network: Pick<Network, 'find'>;
  readonly exitsMax: number;
  readonly log: Log;
  /** Told of an interface that can be used, under its number among the exits. */
  readonly onOpen: (exit: Exit, found: FoundInterface) => void;
}

/** The interfaces that one sink writes to, by name: opened when first asked for, and looked after. */
export class Exits {
  readonly #options: ExitsOptions;
  readonly #places: (Exit | undefined)[] = [];
  readonly #byName = new Map<string, Exit>();

  constructor(options: ExitsOptions) {
    this.#options = options;
  }

  /** Says whether there are some, and none can be used. */
  get areAllGone(): boolean {
    if (this.#byName.size === 0) return false;
    for (const { isOpen } of this.#byName.values()) if (isOpen) return false;
    return true;
  }

  /** @returns open or not; undefined where there is no place for one more */
  get(name: string, nowMs: number): Exit | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const place = this.#freePlace(nowMs);
    if (place === undefined) return undefined;
    const exit = new Exit(name, place, nowMs);
    this.#places[place] = exit;
    this.#byName.set(name, exit);
    this.check(exit);
    return exit;
  }

  /** The exit at a place. */
  at(place: number): Exit | undefined {
    return this.#places[place];
  }

  /** Finds out whether it can be used, and says once when that changes. */
  check(exit: Exit): void {
    const { sink, network, log, onOpen } = this.#options;
    const fields = { sink, interface: exit.name };
    try {
      if (Buffer.byteLength(exit.name) > INTERFACE_NAME_MAX) {
        throw new Error(`a name has at most ${INTERFACE_NAME_MAX} bytes`);
      }
      const found = network.find(exit.name);
      exit.mtuBytes = found.mtuBytes;
      exit.isOpen = true;
      onOpen(exit, found);
      if (exit.saidGone) log.info(fields, 'Packets are written to the interface again.');
      exit.saidGone = false;
    } catch (error) {
      exit.isOpen = false;
      if (!exit.saidGone)
        log.warn({ ...fields, error }, 'An interface cannot be written to: its packets are dropped.');
      exit.saidGone = true;
    }
  }

  /** Finds out about all. */
  checkAll(): void {
    for (const exit of this.#byName.values()) this.check(exit);
  }

  /** A place that is free, or that of the exit which has been idle longest, and long enough. */
  #freePlace(nowMs: number): number | undefined {
    if (this.#places.length < this.#options.exitsMax) return this.#places.length;
    let idlest: Exit | undefined;
    for (const exit of this.#byName.values())
      if (idlest === undefined || exit.usedMs < idlest.usedMs) idlest = exit;
    if (idlest === undefined || nowMs - idlest.usedMs < IDLE_MS) return undefined;
    this.#byName.delete(idlest.name);
    return idlest.place;
  }
}
