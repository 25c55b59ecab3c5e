import { workerCount } from '../../config/presets.ts';
import type { Config } from '../../config/settings.ts';
import { hostClockIsSynchronised } from '../../inputs/host-clock.ts';
import { HostDrops } from '../../inputs/host-drops/host-drops.ts';
import { openIntake } from '../../inputs/intake.ts';
import { chooseInterfaces } from '../../inputs/ring/interfaces.ts';
import { MirrorError } from '../../observe/error.ts';
import { type Facts, type Failure, failed, type IntakeFacts, type InterfaceFact } from './facts.ts';
import { machineFacts, mtuOf } from './machine.ts';
import { tryDisks } from './try-disk.ts';
import { tryMirrors } from './try-mirrors.ts';
import { tryKafka } from './try-kafka.ts';
import { freeUdpPort, tryPorts } from './try-ports.ts';

/** Enough to see whether packets can be spread, and rings that take no memory from an appliance that runs. */
const TRIED_WORKERS = 2;
const TRIED_RING_BYTES = 4_194_304;

/** Finds out what the checks need to know. Nothing of it disturbs an appliance that runs on the same machine. */
export async function gatherFacts(config: Config): Promise<Facts> {
  const interfaces = readInterfaces(config);
  const names = failed(interfaces) ? undefined : interfaces.map(({ name }) => name);
  const drops = await HostDrops.open(names && (() => names));
  const hostDrops = drops.sinceBoot();
  drops.close();
  return {
    ...machineFacts(),
    interfaces,
    hostDrops,
    intake: await tryIntake(config),
    ports: await tryPorts(config),
    disks: await tryDisks(config),
    mirrors: await tryMirrors(config),
    kafka: await tryKafka(config),
    clockIsSynchronised: await hostClockIsSynchronised(),
  };
}

function readInterfaces({ listen }: Config): readonly InterfaceFact[] | Failure {
  try {
    return chooseInterfaces(listen.interface).map((name) => ({ name, mtuBytes: mtuOf(name) }));
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

/** Opens what the appliance would open, on a port that nobody uses, and closes it again. */
async function tryIntake(config: Config): Promise<IntakeFacts | Failure> {
  const { listen } = config;
  try {
    const intake = await openIntake({
      ...listen,
      vxlanPorts: [await freeUdpPort(listen.address)],
      genevePorts: [],
      workers: Math.min(TRIED_WORKERS, workerCount(config, machineFacts().cores)),
      ring: { ...listen.ring, bytes: TRIED_RING_BYTES },
    });
    const { mode, refused, steering, notes } = intake;
    intake.close();
    return { mode, refused, steering, notes };
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof MirrorError) return error.message;
  if (error instanceof Error && 'code' in error) return `${error.message}.`;
  throw error;
}
