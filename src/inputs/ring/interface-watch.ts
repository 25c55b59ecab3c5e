import { interfaceIndex } from '../../native/interface.ts';
import type { IntakeNote } from '../intake-set.ts';
import type { InterfaceFacts, InterfaceWish } from './interfaces.ts';

export interface WatchOptions {
  readonly interface: InterfaceWish;
  /** What is read; the same interface may be there several times. */
  readonly groups: readonly { readonly interfaceName: string; readonly interfaceIndex: number }[];
  readonly facts: InterfaceFacts;
}

const remedy = 'restart mirrortap';

/**
 * Notices interfaces that come and that go while packets are received, and says each once: rings read those that were
 * there in the beginning. One that is down for a while is no other when it is up again.
 */
export class InterfaceWatch {
  readonly #options: WatchOptions;
  /** Interfaces that are read, by name, with the kernel's number; those that are gone are left out. */
  readonly #read: Map<string, number>;
  /** Names that are read, or of which was said that they are not. */
  readonly #known: Set<string>;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#read = new Map(options.groups.map((group) => [group.interfaceName, group.interfaceIndex]));
    this.#known = new Set(this.#read.keys());
  }

  look(): IntakeNote[] {
    const gone = [...this.#read].filter(([name, index]) => indexOf(name) !== index).map(([name]) => name);
    for (const name of gone) this.#read.delete(name);
    const added = this.#added();
    for (const name of added) this.#known.add(name);
    return [
      ...gone.map((name) => note('A network interface is gone that packet rings read.', name)),
      ...added.map((name) => note('A network interface has come that packet rings do not read.', name)),
    ];
  }

  #added(): string[] {
    const { interface: wish, facts } = this.#options;
    if (wish !== 'auto') return [];
    return facts.withAddress().filter((name) => !this.#known.has(name) && !facts.isPort(name));
  }
}

function note(message: string, name: string): IntakeNote {
  return { message, fields: { interface: name, remedy } };
}

function indexOf(name: string): number | undefined {
  try {
    return interfaceIndex(name);
  } catch {
    return undefined;
  }
}
