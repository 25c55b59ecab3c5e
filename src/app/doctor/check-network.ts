import type { Config } from '../../config/settings.ts';
import type { IntakeNote } from '../../inputs/intake-set.ts';
import { type Facts, failed, type InterfaceFact } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** MTU of network interfaces in a VPC (Amazon EC2 User Guide, "Network maximum transmission unit"). */
const JUMBO_MTU = 9001;
/** A Gateway Load Balancer takes packets of 8,500 bytes and adds a header of 68 (its documentation). */
const GWLB_MTU = 8500;
const GWLB_HEADER_LEN = 68;
/** What mirroring adds to a packet of the source, by AWS's figures: over IPv4, over IPv6. */
const MIRROR_LEN_4 = 54;
const MIRROR_LEN_6 = 74;
/** Below this, packets of sources with the usual Ethernet MTU do not fit. */
const ETHERNET_MTU = 1500;

/** Which interfaces a packet ring would read. */
export function checkInterfaces({ interfaces, intake }: Facts): Finding[] {
  if (failed(interfaces)) {
    return [
      problem('interfaces', interfaces.failure, 'See listen.interface in the settings, and ip address.'),
    ];
  }
  const names = interfaces.map(({ name }) => name).join(', ');
  const found = ok('interfaces', `Packets are looked for on ${names}.`);
  const useless = failed(intake) ? [] : intake.notes.filter(({ fields }) => 'interface' in fields);
  return [found, ...useless.map(uselessInterface)];
}

/** One that is read and gets nothing. */
function uselessInterface({ message, fields }: IntakeNote): Finding {
  const remedy = 'Name the bridge or bond in listen.interface, or leave it at auto.';
  return problem('interfaces', `${String(fields['interface'])}: ${message}`, remedy);
}

/** Whether mirrored packets fit the interfaces. */
export function checkMtu(facts: Facts, config: Config): Finding[] {
  if (failed(facts.interfaces)) return [];
  return facts.interfaces
    .filter(({ name }) => name !== 'lo')
    .map((one) => checkOneMtu(one, facts, config.behind));
}

function checkOneMtu({ name, mtuBytes }: InterfaceFact, { isEc2 }: Facts, behind: Config['behind']): Finding {
  if (mtuBytes === undefined) {
    const message = `The system does not tell the MTU of ${name}.`;
    return note('mtu', message, `It should be ${JUMBO_MTU}.`);
  }
  const room = behind === 'gwlb' ? Math.min(GWLB_MTU, mtuBytes - GWLB_HEADER_LEN) : mtuBytes;
  const needed = behind === 'gwlb' ? GWLB_MTU + GWLB_HEADER_LEN : JUMBO_MTU;
  const message =
    `${name} has an MTU of ${mtuBytes}: mirrored packets arrive whole from sources with an MTU of up to ` +
    `${Math.max(0, room - MIRROR_LEN_4)} (over IPv6 ${Math.max(0, room - MIRROR_LEN_6)}).`;
  if (mtuBytes >= needed) return ok('mtu', message);
  const remedy = `ip link set ${name} mtu ${JUMBO_MTU}, or a smaller MTU at the sources: longer packets are cut or lost.`;
  // sources in a VPC have jumbo frames unless somebody changed it
  const isLoss = isEc2 || room < ETHERNET_MTU + MIRROR_LEN_4;
  return isLoss ? problem('mtu', message, remedy) : note('mtu', message, remedy);
}

const dropRemedies: Readonly<Record<string, string>> = {
  ena_bw_in: 'The instance gets more bandwidth than its type allows: take a larger type, or more appliances.',
  ena_pps:
    'The instance gets more packets a second than its type allows: take a larger type, or more appliances.',
  ena_conntrack:
    'The instance tracks more connections than its type allows: let the security group take the tunnel ports from everywhere, which is not tracked, or take a larger type.',
  nic: 'The network device had no buffer, or nobody wanted the packet: more and longer receive queues (ethtool -L, ethtool -G).',
  softnet:
    'A processor could not keep up: raise net.core.netdev_max_backlog, or spread the receive queues over more processors.',
};

/** Whether packets were lost before any socket since the machine was started. */
export function checkHostDrops({ hostDrops }: Facts): Finding[] {
  const name = 'host-drops';
  if (hostDrops.size === 0) {
    const remedy = 'It takes Linux with procfs and sysfs.';
    return [note(name, 'The system does not tell what was lost before the sockets.', remedy)];
  }
  const lost = [...hostDrops].filter(([, packets]) => packets > 0);
  if (lost.length === 0) {
    return [
      ok(name, `Nothing was lost before the sockets since the start (${[...hostDrops.keys()].join(', ')}).`),
    ];
  }
  return lost.map(([where, packets]) =>
    note(
      name,
      `Since the machine was started, ${packets} packets of any kind were lost at ${where}.`,
      `${dropRemedies[where] ?? ''} Watch mirrortap_host_dropped_packets_total while it receives.`,
    ),
  );
}
