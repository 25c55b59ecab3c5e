import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import {
  commandIn,
  inNamespace,
  type NetworkKind,
  requiresNamespaces,
  requiresVlan,
  withNetwork,
} from '../../support/namespaces.ts';

const able = requiresNamespaces();

function run([program = '', ...args]: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}

const kinds: readonly NetworkKind[] = requiresVlan() ? ['veth', 'bridge', 'vlan'] : ['veth', 'bridge'];

test.skipIf(!able).each(kinds)('%s: both hosts reach each other', (kind) =>
  withNetwork(kind, (network) => {
    const { sender, receiver, senderAddress, receiverAddress, senderAddress6, receiverAddress6 } = network;
    for (const [name, own, peers] of [
      [sender, senderAddress, [receiverAddress, receiverAddress6]],
      [receiver, receiverAddress, [senderAddress, senderAddress6]],
    ] as const) {
      const addresses = inNamespace(name, () => Object.values(networkInterfaces()).flat());
      expect(addresses.map((one) => one?.address)).toContain(own);
      for (const peer of peers) {
        // cannot be ping, which is not everywhere: a datagram to a port that nobody has is answered
        const script = `const s = require('node:dgram').createSocket('udp${peer.includes(':') ? 6 : 4}');
          s.connect(9, '${peer}', () => setInterval(() => s.send(Buffer.alloc(9000)), 20));
          s.on('error', (error) => { console.log(error.code); process.exit(); });`;
        expect(run(commandIn(name, [process.execPath, '-e', script]))).toBe('ECONNREFUSED\n');
      }
    }
    return Promise.resolve();
  }),
);

test.skipIf(!able)('the namespaces are gone afterwards, and this thread is where it was', async () => {
  const home = readlinkSync('/proc/thread-self/ns/net');
  let names: string[] = [];
  const failing = withNetwork('veth', (network) => {
    names = [network.sender, network.receiver];
    expect(inNamespace(network.sender, () => readlinkSync('/proc/thread-self/ns/net'))).not.toBe(home);
    return Promise.reject(new Error('planted'));
  });
  await expect(failing).rejects.toThrow('planted');
  expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
  expect(readdirSync('/run/netns').filter((name) => names.includes(name))).toEqual([]);
});
