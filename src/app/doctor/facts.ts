import type { IntakeMode, RefusedMode } from '../../inputs/intake.ts';
import type { IntakeNote } from '../../inputs/intake-set.ts';
import type { TopicFacts } from '../../sinks/kafka/client.ts';
import type { KafkaSettings } from '../../sinks/kafka/settings.ts';

/** Something that could not be done or found out, and why: a sentence. */
export interface Failure {
  readonly failure: string;
}

/** How packets would come in, as it was tried. */
export interface IntakeFacts {
  readonly mode: IntakeMode;
  readonly refused: readonly RefusedMode[];
  readonly steering: string;
  readonly notes: readonly IntakeNote[];
}

export interface InterfaceFact {
  readonly name: string;
  /** Longest IP packet; `undefined` where the system does not tell. */
  readonly mtuBytes: number | undefined;
}

/** Who has a port, as far as this user may know. */
export interface PortHolder {
  /** `undefined`: another user's process. */
  readonly pid: number | undefined;
  /** Its command line, or the number of the user. */
  readonly program: string;
  /** It is another mirrortap. */
  readonly isMirrortap: boolean;
}

export interface PortFact {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
  /** Error number's name, as in EADDRINUSE; `undefined`: it can be had. */
  readonly refusal: string | undefined;
  readonly holder: PortHolder | undefined;
}

/** The folder of one sink that writes files. */
export interface DiskFact {
  readonly sink: string;
  /** What it keeps there. Flow records are few: how fast their disk is does not matter. */
  readonly keeps: 'packets' | 'records';
  readonly directory: string;
  readonly keepFreePercent: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Error number's name where no file can be written there. */
  readonly refusal: string | undefined;
  /** What was written a second, with `fdatasync`; `undefined` where it was not tried. */
  readonly bytesPerSecond: number | undefined;
}

/** The brokers of one Kafka sink, as they were asked. */
export interface KafkaFact {
  readonly sink: string;
  readonly settings: KafkaSettings;
  /** Why they cannot be used; undefined where they can. */
  readonly failure: string | undefined;
  /** Topics whose names are known; undefined for those that are not there. */
  readonly topics: ReadonlyMap<string, TopicFacts | undefined>;
  /** Of the disk with the spool; undefined without one. */
  readonly spoolFreeBytes: number | undefined;
}

/** The interface of one sink that writes to one. */
export interface MirrorFact {
  readonly sink: string;
  readonly interfaceName: string;
  /** Each lane has one of its own. */
  readonly isPattern: boolean;
  /** Why nothing could be written there: a sentence. */
  readonly refusal: string | undefined;
  /** Longest IP packet. */
  readonly mtuBytes: number | undefined;
  readonly hasAddress: boolean;
}

export interface Capabilities {
  readonly effective: bigint;
  /** What it may make effective; it does so with CAP_NET_RAW. */
  readonly permitted: bigint;
}

/** What there is to know of this machine. `undefined` is always: the system does not tell. */
export interface Facts {
  /** As `process.platform`. */
  readonly platform: string;
  /** Without the `v`. */
  readonly nodeVersion: string;
  readonly cores: number;
  /** An instance of Amazon EC2. */
  readonly isEc2: boolean;
  /** Capabilities of the process, a bit each (linux/capability.h). */
  readonly capabilities: Capabilities | undefined;
  /** net.core.rmem_max. */
  readonly receiveBufferMaxBytes: number | undefined;
  readonly availableBytes: number;
  /** What the process may use at most, by a limit of its container or service. */
  readonly memoryLimitBytes: number | undefined;
  /** Files and sockets that the process may have open. */
  readonly openFilesMax: number | undefined;
  readonly clockIsSynchronised: boolean | undefined;
  /** Those that a packet ring would read. */
  readonly interfaces: readonly InterfaceFact[] | Failure;
  readonly intake: IntakeFacts | Failure;
  readonly ports: readonly PortFact[];
  readonly disks: readonly DiskFact[];
  readonly mirrors: readonly MirrorFact[];
  readonly kafka: readonly KafkaFact[];
  /** Packets lost before any socket since the machine was started, by place. */
  readonly hostDrops: ReadonlyMap<string, number>;
}

/** Says whether something could not be found out. */
export function failed(facts: object): facts is Failure {
  return 'failure' in facts;
}
