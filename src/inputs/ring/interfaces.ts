import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { MirrorError } from '../../observe/error.ts';

/** What of the settings says which interfaces are read: `auto`, a name, or several names. */
export type InterfaceWish = string | readonly string[];

/** What the system tells of its network interfaces. */
export interface InterfaceFacts {
  /** Names of all. */
  all(): readonly string[];
  /** Names of those that are up and have an address. */
  withAddress(): readonly string[];
  /** Says whether it belongs to a bridge or a bond, which takes over whatever comes. */
  isPort(name: string): boolean;
}

/**
 * The interfaces that are to be read: those that are named, or all that are up and have an address. A packet is seen
 * where the IP stack of this host gets it, and there only: at the bridge, the bond, the VLAN, not at what is below.
 *
 * @throws MirrorError `INTERFACE_UNKNOWN`
 */
export function chooseInterfaces(wish: InterfaceWish, facts: InterfaceFacts = system): string[] {
  if (wish === 'auto') {
    const chosen = facts.withAddress().filter((name) => !facts.isPort(name));
    if (chosen.length === 0) throw unknown('No network interface is up and has an address.', wish, facts);
    return chosen;
  }
  const names = [...new Set(typeof wish === 'string' ? [wish] : wish)];
  const all = facts.all();
  for (const name of names) {
    if (!all.includes(name)) throw unknown(`There is no network interface ${name}.`, name, facts);
  }
  return names;
}

function unknown(message: string, name: string, facts: InterfaceFacts): MirrorError {
  const there = facts.all().join(', ');
  return new MirrorError('INTERFACE_UNKNOWN', message, { interface: name, there });
}

/** Of the network namespace that the calling thread is in, except for `isPort`, which asks the mounted sysfs. */
export const system: InterfaceFacts = {
  all() {
    // the first two lines are headings (proc_pid_net(5))
    const lines = readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n').slice(2);
    return lines.map((line) => line.split(':', 1)[0]?.trim() ?? '').filter((name) => name !== '');
  },
  withAddress() {
    // an address may have a label, as in eth0:1
    return [...new Set(Object.keys(networkInterfaces()).map((label) => label.split(':', 1)[0] ?? label))];
  },
  isPort: (name) => ['brport', 'bonding_slave'].some((mark) => existsSync(`/sys/class/net/${name}/${mark}`)),
};
