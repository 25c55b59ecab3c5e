import type { Config } from '../../config/settings.ts';
import { checkDiskSpace, checkDiskSpeed, checkDiskWrite } from './check-disk.ts';
import { checkCapabilities, checkInputMode, checkReceiveBuffer, checkSteering } from './check-intake.ts';
import { checkBrokers, checkSpool, checkTopics } from './check-kafka.ts';
import { checkClock, checkMemory, checkNodeVersion, checkOpenFiles, checkWorkers } from './check-machine.ts';
import { checkHostDrops, checkInterfaces, checkMtu } from './check-network.ts';
import { checkMirrors } from './check-mirrors.ts';
import { checkHttpPort, checkPorts } from './check-ports.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';

/** In the order of the way of a packet, then what all needs. */
const checks: readonly ((facts: Facts, config: Config) => Finding[])[] = [
  checkInputMode,
  checkSteering,
  checkCapabilities,
  checkInterfaces,
  checkMtu,
  checkHostDrops,
  checkReceiveBuffer,
  checkPorts,
  checkHttpPort,
  checkMirrors,
  checkDiskWrite,
  checkDiskSpace,
  checkDiskSpeed,
  checkBrokers,
  checkTopics,
  checkSpool,
  checkMemory,
  checkWorkers,
  checkOpenFiles,
  checkClock,
  checkNodeVersion,
];

/** What the facts mean for an appliance with these settings. */
export function findingsOf(facts: Facts, config: Config): Finding[] {
  return checks.flatMap((check) => check(facts, config));
}
