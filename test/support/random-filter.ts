import type { Seeded } from './seeded.ts';

/** Addresses and ports that the frames of hostile-frames.ts and samples have, and some that they have not. */
const ipv4Hosts = ['10.0.1.10', '10.0.2.20', '10.0.1.1', '224.0.0.1', '192.0.2.1'];
const ipv4Nets = [
  '10',
  '10.0',
  '10.0.2',
  '10.0.0.0/8',
  '10.0.1.0/24',
  '10.0.0.0 mask 255.255.0.0',
  '0.0.0.0/1',
  '10.0.1.10',
];
const ipv6Hosts = ['2001:db8:1::10', '2001:db8:2::20', 'fe80::1', '::'];
const ipv6Nets = ['2001:db8::/32', '2001:db8:1::/48', '2001:db8:1::/62', 'fe80::/10', '::/1'];
const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02', '2:0:0:0:0:9', 'ff:ff:ff:ff:ff:ff'];
const ports = ['53', '80', '443', '1000', '2000', '4789', '6081', '0x50', '0', '65535'];
const ranges = ['1-1024', '1000-2000', '443-80', '1024-65535', '80-80'];
const protocols = ['1', '6', '17', '58', '132', '47', '0', '44', '\\tcp', '\\udp', '\\icmp'];
const directions = ['', '', '', 'src', 'dst', 'src or dst', 'src and dst', 'dst or src'];
const alone = 'ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp pim vrrp ah esp'.split(' ');
const etherTypes = ['0x800', '0x86dd', '0x806', '0x8100', '\\ip', '\\arp', '2048'];
const relations = ['=', '==', '!=', '<', '<=', '>', '>='];
const constants = ['0', '1', '2', '4', '8', '13', '0x10', '20', '64', '255', '0x0800', '1500', '4294967295'];
const bytesOf = ['ip', 'ip6', 'arp', 'tcp', 'udp', 'icmp', 'icmp6', 'sctp', 'ether'];

export interface FilterShape {
  /** Without an Ethernet header tcpdump refuses what asks for one. */
  readonly isEthernet: boolean;
  /** Asks for bytes that no header needs to have: where they are not there, it counts in which order tests are made. */
  readonly reachesFar: boolean;
}

/** An expression that tcpdump takes, with its `and`, `or`, `not` and brackets. */
export function randomFilter(random: Seeded, shape: FilterShape, depth = 3): string {
  const kind = depth === 0 ? 0 : random.below(7);
  if (kind <= 1) return primitive(random, shape);
  if (kind === 2) return `${random.pick(['not', '!'])} ${bracketed(random, shape, depth - 1)}`;
  if (kind === 3) return `(${randomFilter(random, shape, depth - 1)})`;
  const operator = random.pick(['and', 'or', '&&', '||']);
  const left = randomFilter(random, shape, depth - 1);
  return `${left} ${operator} ${random.below(4) === 0 ? bracketed(random, shape, depth - 1) : randomFilter(random, shape, depth - 1)}`;
}

function bracketed(random: Seeded, shape: FilterShape, depth: number): string {
  return depth === 0 ? primitive(random, shape) : `(${randomFilter(random, shape, depth)})`;
}

/** One or more of a kind: those behind the first take over its qualifiers. */
function listOf(random: Seeded, choices: readonly string[]): string {
  const count = random.pick([1, 1, 1, 2, 3]);
  const list = Array.from({ length: count }, () => random.pick(choices)).join(
    ` ${random.pick(['or', 'and'])} `,
  );
  return count > 1 && random.below(3) === 0 ? `(${list})` : list;
}

function primitive(random: Seeded, shape: FilterShape): string {
  const { isEthernet } = shape;
  const direction = random.pick(directions);
  const kind = random.below(isEthernet ? 14 : 11);
  switch (kind) {
    case 0:
      return `${random.pick(['', '', 'ip', 'arp', 'rarp'])} ${direction} host ${listOf(random, ipv4Hosts)}`;
    case 1:
      return `${random.pick(['', 'ip'])} ${direction} net ${random.pick(ipv4Nets)}`;
    case 2:
      return `${random.pick(['', 'ip6'])} ${direction} host ${listOf(random, ipv6Hosts)}`;
    case 3:
      return `${direction} net ${random.pick(ipv6Nets)}`;
    case 4:
    case 5:
      return `${random.pick(['', 'tcp', 'udp', 'sctp'])} ${direction} port ${listOf(random, ports)}`;
    case 6:
      return `${random.pick(['', 'tcp', 'udp'])} ${direction} portrange ${random.pick(ranges)}`;
    case 7:
      return `${random.pick(['', 'ip', 'ip6'])} proto ${listOf(random, protocols)}`;
    case 8:
      return random.pick(alone);
    case 9:
      return relation(random, shape);
    case 10:
      return random.pick([
        `less ${random.pick(constants)}`,
        `greater ${random.pick(constants)}`,
        'ip multicast',
        'ip6 multicast',
        `ether proto ${random.pick(etherTypes)}`,
      ]);
    case 11:
      return `ether ${random.pick(['', 'src', 'dst'])} host ${listOf(random, macs)}`;
    case 12:
      return random.pick(['broadcast', 'ether multicast', 'multicast', 'ether broadcast']);
    default:
      return `vlan ${random.pick(['', '', '7', '8', '5', '100'])}`;
  }
}

function relation(random: Seeded, shape: FilterShape): string {
  const header = random.pick(shape.isEthernet ? bytesOf : bytesOf.slice(0, -1));
  const compared = `${random.pick(relations)} ${random.pick(constants)}`;
  switch (random.below(5)) {
    case 0:
      return `len ${compared}`;
    case 1:
      return `${bytes(random, header, shape)} & ${random.pick(constants)} ${compared}`;
    case 2:
      return `${bytes(random, header, shape)} ${random.pick(['+', '-', '*', '|', '&', '^', '>> 2 +', '<< 3 -', '/ 3 |', '%'])} ${bytes(random, header, shape)} ${compared}`;
    case 3:
      return `tcp[${random.pick(['tcpflags', '13'])}] & (tcp-syn|tcp-fin) ${random.pick(['!= 0', '== tcp-syn'])}`;
    default:
      return `${bytes(random, header, shape)} ${compared}`;
  }
}

function bytes(random: Seeded, header: string, { reachesFar }: FilterShape): string {
  if (!reachesFar) return `${header}[${random.pick(['0', '1', '2', '3', '0:2', '2:2', '0:4', '1:1'])}]`;
  const reckoned = [`${header}[0] & 0xf`, `(${header}[0] & 0xf) << 2`, 'len - 20'];
  const index = random.pick(['0', '1', '2', '6', '8', '12', '20', '100', ...reckoned]);
  return `${header}[${index}${random.pick(['', ':1', ':2', ':4'])}]`;
}
