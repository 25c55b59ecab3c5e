/** Why a sink of kind `inject` drops packets, besides what every sink has; docs/inject.md says what to do. */
export const injectDropReasons = [
  /** The queue of the interface had no room, time and again. */
  'interfaceFull',
  /** The interface is not there, or down. */
  'interfaceGone',
  /** Longer than the interface takes, and not to be shortened. */
  'tooLong',
  /** It was cut, and `cut: drop` asks for whole ones. */
  'cut',
  /** It ends inside its headers: there is nothing to complete. */
  'cutHeader',
  /** Its lane has no VLAN id. */
  'noVlan',
  /** Its lane has an interface of its own, and there are `maxInterfaces` already. */
  'tooManyInterfaces',
  /** The kernel refused the frame for another reason; the log says which. */
  'refused',
] as const;
export type InjectDrop = (typeof injectDropReasons)[number];

/** What it counts besides: cut or too long packets that it wrote, by what it did with them. */
export const injectCounters = ['padded', 'shortened', 'passed'] as const;
