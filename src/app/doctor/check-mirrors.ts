import type { Facts, MirrorFact } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** MTU of network interfaces in a VPC (Amazon EC2 User Guide, "Network maximum transmission unit"). */
const JUMBO_MTU = 9001;
const name = 'inject';

/** Whether sinks can write to their interfaces. */
export function checkMirrors({ mirrors }: Facts): Finding[] {
  return mirrors.map(checkMirror);
}

function checkMirror({ sink, interfaceName, isPattern, refusal, mtuBytes, hasAddress }: MirrorFact): Finding {
  const about = `sinks.${sink}:`;
  if (refusal !== undefined) {
    return problem(name, `${about} ${refusal}`, 'See docs/inject.md for what it takes.');
  }
  if (isPattern) {
    const message = `${about} interfaces ${interfaceName} are looked up when packets come.`;
    return note(name, message, `Make one for each lane, with an MTU of ${JUMBO_MTU}, before it begins.`);
  }
  if ((mtuBytes ?? 0) < JUMBO_MTU) {
    const message = `${about} ${interfaceName} has an MTU of ${mtuBytes}: longer packets are shortened, or dropped.`;
    return note(
      name,
      message,
      `ip link set ${interfaceName} mtu ${JUMBO_MTU}, and the same at the other end of a veth.`,
    );
  }
  if (hasAddress) {
    const message = `${about} ${interfaceName} has an address: what this host sends there itself is seen among the packets.`;
    const remedy = `ip address flush dev ${interfaceName}; ip link set ${interfaceName} addrgenmode none.`;
    return note(name, message, remedy);
  }
  return ok(name, `${about} packets of up to ${mtuBytes} bytes can be written to ${interfaceName}.`);
}
