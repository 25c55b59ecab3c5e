import { interfaceIndex } from '../native/interface.ts';
import { parseAddress } from '../wire/address.ts';
import { assert } from '../wire/assert.ts';
import { socketAddressOf } from './socket-address.ts';

/**
 * The structure of an address of the settings and a port.
 *
 * @param address an IPv6 address may name its interface, as in `fe80::1%eth0`
 * @throws MirrorError `SYSTEM_CALL_FAILED` where there is no such interface
 */
export function listenAddress(address: string, port: number): Buffer {
  const [text = '', zone = ''] = address.split('%');
  const parsed = parseAddress(text);
  assert(parsed !== undefined, 'settings take addresses only');
  const scope = /^\d*$/.test(zone) ? Number(zone) : interfaceIndex(zone);
  return socketAddressOf(parsed, port, scope);
}
