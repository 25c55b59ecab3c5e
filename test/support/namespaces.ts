import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { missing, requires, requiresRoot } from './requires.ts';

/**
 * Two hosts on one cable, as network namespaces: traffic between them takes the way through the kernel that it takes
 * between machines. Both have an IPv4 and an IPv6 address in one subnet; neither asks the other for its MAC address.
 */
export interface TestNetwork {
  /** Names of the namespaces. */
  readonly sender: string;
  readonly receiver: string;
  readonly senderAddress: string;
  readonly receiverAddress: string;
  readonly senderAddress6: string;
  readonly receiverAddress6: string;
  /** MAC addresses of the two, as `02:00:00:00:00:01`. */
  readonly senderMac: string;
  readonly receiverMac: string;
  /** The interfaces that have the addresses. */
  readonly senderInterface: string;
  readonly receiverInterface: string;
  /** The ends of the cable: the same as the two above, unless there is a bridge or a VLAN on top. */
  readonly senderPort: string;
  readonly receiverPort: string;
}

/** `bridge`: the receiver's address is on a bridge around the cable; `vlan`: the addresses are on VLAN 7 of it. */
export type NetworkKind = 'veth' | 'bridge' | 'vlan';

/** Tag of the VLAN. */
export const VLAN_ID = 7;
/** Fits an inner frame of 8,900 bytes and its tunnel. */
const JUMBO_MTU = 9100;

/** `sched.h` */
const CLONE_NEWNET = 0x4000_0000;

const hosts = {
  senderAddress: '10.99.0.1',
  receiverAddress: '10.99.0.2',
  senderAddress6: 'fd00:99::1',
  receiverAddress6: 'fd00:99::2',
  senderMac: '02:00:00:00:00:01',
  receiverMac: '02:00:00:00:00:02',
} as const;

let made = 0;

/** True where namespaces can be made: `ip` is there, and the tests run as root. */
export function requiresNamespaces(): boolean {
  return [requires('ip'), requiresRoot()].every(Boolean);
}

/** True where the kernel knows VLAN interfaces, besides; some kernels of small virtual machines do not. */
export function requiresVlan(): boolean {
  const remedy = 'modprobe 8021q, or a kernel that was built with CONFIG_VLAN_8021Q';
  return requiresLink('VLAN interfaces', `link lo name vlan${VLAN_ID} type vlan id ${VLAN_ID}`, remedy);
}

/** The same for dummy interfaces. */
export function requiresDummy(): boolean {
  const remedy = 'modprobe dummy, or a kernel that was built with CONFIG_DUMMY';
  return requiresLink('dummy interfaces', 'name dummy0 type dummy', remedy);
}

/** True where an interface can be made; `link` as `ip link add` takes it. */
function requiresLink(what: string, link: string, remedy: string): boolean {
  if (!requiresNamespaces()) return false;
  const namespace = `mirrortap-${process.pid}-link`;
  ip(['netns', 'add', namespace]);
  try {
    batch(namespace, [`link add ${link}`]);
    return true;
  } catch {
    missing({ what, remedy, weight: 'offered' });
    return false;
  } finally {
    ip(['netns', 'del', namespace]);
  }
}

/** Calls `work` with a new network, and removes it afterwards, whatever happens. */
export async function withNetwork(
  kind: NetworkKind,
  work: (network: TestNetwork) => Promise<void>,
  mtu: number = JUMBO_MTU,
): Promise<void> {
  const name = `mirrortap-${process.pid}-${made++}`;
  const network = describe(kind, `${name}-s`, `${name}-r`);
  const remove = (): void => removeNamespaces(network.sender, network.receiver);
  removeLeftOvers();
  process.once('exit', remove);
  try {
    join(kind, network, mtu);
    await carrier(network.sender, network.senderAddress);
    await carrier(network.receiver, network.receiverAddress);
    await work(network);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/**
 * Does work in a namespace: sockets that it opens belong there for good. Only what is done at once counts: a socket of
 * `node:dgram` is opened in a later turn of the event loop, and what other threads do is done elsewhere.
 */
export function inNamespace<T>(name: string, work: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    enter(openSync(`/run/netns/${name}`, 'r'), true);
    try {
      return work();
    } finally {
      enter(home, false);
    }
  } finally {
    closeSync(home);
  }
}

/** A command line that runs in a namespace. */
export function commandIn(name: string, command: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', name, ...command];
}

function describe(kind: NetworkKind, sender: string, receiver: string): TestNetwork {
  const [senderPort, receiverPort] = ['out0', 'in0'];
  return {
    ...hosts,
    sender,
    receiver,
    senderPort,
    receiverPort,
    senderInterface: kind === 'vlan' ? `${senderPort}.${VLAN_ID}` : senderPort,
    receiverInterface: { veth: receiverPort, bridge: 'br0', vlan: `${receiverPort}.${VLAN_ID}` }[kind],
  };
}

function join(kind: NetworkKind, network: TestNetwork, mtu: number): void {
  const { sender, receiver, senderPort, receiverPort, senderMac, receiverMac } = network;
  ip(['netns', 'add', sender]);
  ip(['netns', 'add', receiver]);
  const cable = ['link', 'add', senderPort, 'netns', sender, 'mtu', String(mtu), 'address', senderMac];
  const far = ['name', receiverPort, 'netns', receiver, 'mtu', String(mtu), 'address', receiverMac];
  ip([...cable, 'type', 'veth', 'peer', ...far]);
  const vlan = (port: string): string[] =>
    kind === 'vlan' ? [`link add link ${port} name ${port}.${VLAN_ID} type vlan id ${VLAN_ID}`] : [];
  const bridge =
    kind === 'bridge'
      ? [
          `link add br0 address ${receiverMac} type bridge stp_state 0 mcast_snooping 0`,
          `link set ${receiverPort} master br0`,
        ]
      : [];
  const { senderAddress, receiverAddress, senderAddress6, receiverAddress6 } = network;
  configure(
    sender,
    vlan(senderPort),
    [senderPort, network.senderInterface],
    [
      [senderAddress, senderAddress6],
      [receiverAddress, receiverAddress6, receiverMac],
    ],
  );
  configure(
    receiver,
    [...vlan(receiverPort), ...bridge],
    [receiverPort, network.receiverInterface],
    [
      [receiverAddress, receiverAddress6],
      [senderAddress, senderAddress6, senderMac],
    ],
  );
}

/** Brings one host up: quiet, without addresses of its own making; the last of `interfaces` gets the addresses. */
function configure(
  namespace: string,
  links: readonly string[],
  interfaces: readonly string[],
  [[own4, own6], [peer4, peer6, peerMac]]: readonly [
    readonly [string, string],
    readonly [string, string, string],
  ],
): void {
  const holder = interfaces.at(-1) ?? '';
  const names = [...new Set(interfaces)];
  batch(namespace, [
    ...links,
    ...names.map((name) => `link set ${name} addrgenmode none`),
    'link set lo up',
    `address add ${own4}/24 dev ${holder}`,
    `address add ${own6}/64 dev ${holder} nodad`,
    ...names.map((name) => `link set ${name} up`),
    ...[peer4, peer6].map(
      (address) => `neigh replace ${address} lladdr ${peerMac} nud permanent dev ${holder}`,
    ),
  ]);
}

/** A process that was killed has left its namespaces behind. */
function removeLeftOvers(): void {
  const folder = '/run/netns';
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const pidOf = (name: string): string | undefined => /^mirrortap-(\d+)-/.exec(name)?.[1];
  removeNamespaces(
    ...names.filter((name) => pidOf(name) !== undefined && !existsSync(`/proc/${pidOf(name)}`)),
  );
}

function removeNamespaces(...names: readonly string[]): void {
  for (const name of names) {
    try {
      ip(['netns', 'del', name]);
    } catch {
      // it was not made, or another has removed it
    }
  }
}

function ip(args: readonly string[], input = ''): void {
  execFileSync('ip', args, { input, stdio: ['pipe', 'pipe', 'pipe'] });
}

function batch(namespace: string, lines: readonly string[]): void {
  ip(['-netns', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** An interface is of use only some time after it was brought up. */
async function carrier(namespace: string, address: string): Promise<void> {
  const addresses = (): (string | undefined)[] =>
    Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address));
  while (!inNamespace(namespace, addresses).includes(address)) await sleep(5);
}

let setns: ((descriptor: number, kind: number) => number) | undefined;

/** Moves the calling thread to the namespace of an open file, and closes that file where it is not used again. */
function enter(descriptor: number, closing: boolean): void {
  try {
    setns ??= koffi.load(null).func('int setns(int, int)');
    if (setns(descriptor, CLONE_NEWNET) !== 0) throw new Error(`setns: errno ${koffi.errno()}`);
  } finally {
    if (closing) closeSync(descriptor);
  }
}
