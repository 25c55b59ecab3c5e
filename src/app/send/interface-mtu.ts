import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** IP and UDP header. */
const HEADERS_LEN = { 4: 28, 6: 48 } as const;

/**
 * Largest UDP payload that leaves in one piece towards `target`, as far as this host can tell: by the MTU of the
 * interface that has the address `local`, or of the loopback when `target` is this host itself. `Infinity` where the
 * system does not say (it does on Linux). A smaller MTU further on is not seen here.
 */
export function payloadMax(target: string, local: string, family: 4 | 6): number {
  const interfaces = Object.entries(networkInterfaces());
  const isHere = interfaces.some(([, addresses]) => addresses?.some(({ address }) => address === target));
  const found = interfaces.find(([, addresses]) =>
    addresses?.some(({ address, internal }) => (isHere ? internal : address === local)),
  );
  return found === undefined ? Infinity : readMtu(found[0]) - HEADERS_LEN[family];
}

function readMtu(name: string): number {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8')) || Infinity;
  } catch {
    return Infinity;
  }
}
