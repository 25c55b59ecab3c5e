import { describe, expect, test } from 'vitest';
import { findingsOf } from '../../src/app/doctor/checks.ts';
import type {
  Capabilities,
  DiskFact,
  Facts,
  KafkaFact,
  MirrorFact,
  PortFact,
} from '../../src/app/doctor/facts.ts';
import type { Finding, FindingName } from '../../src/app/doctor/finding.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/settings.ts';
import { defaultKafka } from './kafka/kafka-settings.ts';

/** Settings with these `path=value`; the defaults for what they leave out. */
export function settings(...set: string[]): Config {
  return loadConfig({ environment: {}, set });
}

/** The defaults. */
export const defaults = settings();

export const port = (some: Partial<PortFact>): PortFact => ({
  protocol: 'udp',
  address: '0.0.0.0',
  port: 4789,
  refusal: undefined,
  holder: undefined,
  ...some,
});

export const disk = (some: Partial<DiskFact>): DiskFact => ({
  sink: 'captures',
  keeps: 'packets',
  directory: './captures',
  keepFreePercent: 10,
  freeBytes: 50e9,
  totalBytes: 100e9,
  refusal: undefined,
  bytesPerSecond: 500e6,
  ...some,
});

export const kafka = (some: Partial<KafkaFact>): KafkaFact => ({
  sink: 'bus',
  settings: defaultKafka(),
  failure: undefined,
  topics: new Map(),
  spoolFreeBytes: 50e9,
  ...some,
});

export const mirror = (some: Partial<MirrorFact>): MirrorFact => ({
  sink: 'tap',
  interfaceName: 'mirror0',
  isPattern: false,
  refusal: undefined,
  mtuBytes: 9001,
  hasAddress: false,
  ...some,
});

/** A process with one capability, by its number; -1: without any. */
export function holding(capability: bigint): Capabilities {
  const mask = capability < 0n ? 0n : 1n << capability;
  return { effective: mask, permitted: mask };
}

/** A machine without fault. */
export const good: Facts = {
  platform: 'linux',
  nodeVersion: '24.21.0',
  cores: 4,
  isEc2: true,
  capabilities: holding(13n),
  receiveBufferMaxBytes: 67_108_864,
  availableBytes: 8e9,
  memoryLimitBytes: undefined,
  openFilesMax: 20_000,
  clockIsSynchronised: true,
  interfaces: [
    { name: 'lo', mtuBytes: 65_536 },
    { name: 'eth0', mtuBytes: 9001 },
  ],
  intake: { mode: 'ring', refused: [], steering: 'inner addresses', notes: [] },
  ports: [port({}), port({ port: 6081 }), port({ protocol: 'tcp', port: 8080 })],
  disks: [disk({})],
  mirrors: [mirror({})],
  kafka: [
    kafka({ topics: new Map([['mirrortap.packets', { partitions: 12, maxMessageBytes: undefined }]]) }),
  ],
  hostDrops: new Map([['nic', 0]]),
};

export const mmsg = {
  mode: 'mmsg',
  refused: [{ mode: 'ring', why: 'EPERM.' }],
  steering: 's',
  notes: [],
} as const;
export const dgram = { ...mmsg, mode: 'dgram' } as const;
export const eth0 = (mtuBytes: number | undefined): Pick<Facts, 'interfaces'> => ({
  interfaces: [{ name: 'eth0', mtuBytes }],
});

/** Found under `name` when the machine is `good` but for some facts. */
export function found(name: FindingName, facts: Partial<Facts>, for_: Config = defaults): Finding[] {
  return findingsOf({ ...good, ...facts }, for_).filter((finding) => finding.name === name);
}

/** One machine, and what is to be found on it. */
export interface FindingRow {
  readonly name: FindingName;
  readonly when: string;
  /** What is other than on the good machine. */
  readonly facts: Partial<Facts>;
  readonly settings?: Config;
  readonly status: Finding['status'];
  readonly says: RegExp;
}

/** Tests of one finding each. */
export function testFindings(rows: readonly FindingRow[]): void {
  describe.each(rows)('$name when $when', ({ name, facts, settings: for_, status, says }) => {
    const [first, ...more] = found(name, facts, for_);

    test(`is ${status}`, () => {
      expect(first).toMatchObject({ status, message: expect.stringMatching(says) });
      expect(more).toEqual([]);
    });

    test('has a remedy if, and only if, there is something to do', () => {
      if (status === 'ok') expect(first?.remedy).toBeUndefined();
      else expect(first?.remedy).toMatch(/^\S.{10,}\.$/);
    });
  });
}
