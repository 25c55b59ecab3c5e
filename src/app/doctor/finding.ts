/** What `mirrortap doctor` can find; docs/doctor.md has a section on each. */
export const findingNames = [
  'input-mode',
  'steering',
  'capabilities',
  'interfaces',
  'mtu',
  'host-drops',
  'receive-buffer',
  'ports',
  'http-port',
  'inject',
  'disk-write',
  'disk-space',
  'disk-speed',
  'brokers',
  'topics',
  'spool-space',
  'memory',
  'workers',
  'open-files',
  'clock',
  'node-version',
] as const;
export type FindingName = (typeof findingNames)[number];

/** `note`: could be better, or cannot be told; `problem`: packets would be lost, or nothing would start. */
export type FindingStatus = 'ok' | 'note' | 'problem';

export interface Finding {
  readonly status: FindingStatus;
  readonly name: FindingName;
  /** A sentence with the numbers. */
  readonly message: string;
  /** What to do about it; never with `ok`. */
  readonly remedy?: string;
}

export function ok(name: FindingName, message: string): Finding {
  return { status: 'ok', name, message };
}

export function note(name: FindingName, message: string, remedy: string): Finding {
  return { status: 'note', name, message, remedy };
}

export function problem(name: FindingName, message: string, remedy: string): Finding {
  return { status: 'problem', name, message, remedy };
}
