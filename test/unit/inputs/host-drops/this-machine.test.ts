import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { softnetDrops } from '../../../../src/inputs/host-drops/softnet.ts';
import { commandIn, requiresNamespaces, withNetwork } from '../../../support/namespaces.ts';
import { requiresNative } from '../../../support/native.ts';

const native = await requiresNative();

interface LinkStatistics {
  readonly stats64: { readonly rx: Readonly<Record<string, number>> };
}

/** What `ip` says that an interface dropped. */
function droppedByIp(namespace: string, name: string): number {
  const [command = '', ...args] = commandIn(namespace, ['ip', '-json', '-stats', 'link', 'show', name]);
  const [link] = JSON.parse(execFileSync(command, args, { encoding: 'utf8' })) as LinkStatistics[];
  const { dropped = 0, missed_errors: missed = 0 } = link?.stats64.rx ?? {};
  return dropped + missed;
}

/** Counts in a namespace while frames arrive there that are longer than its interface takes. */
const program = `
  import { HostDrops } from '${new URL('../../../../src/inputs/host-drops/host-drops.ts', import.meta.url).href}';
  const drops = await HostDrops.open();
  process.stdout.write('ready\\n');
  process.stdin.once('data', () => {
    process.stdout.write(JSON.stringify([...drops.look()]));
    drops.close();
    process.stdin.destroy();
  });`;

test.skipIf(!native || !requiresNamespaces())(
  'a veth: what ip says, under nic, since the start',
  async () => {
    await withNetwork('veth', async (network) => {
      const { sender, receiver, receiverInterface, receiverAddress } = network;
      const run = (namespace: string, ...command: string[]): string => {
        const [name = '', ...args] = commandIn(namespace, command);
        return execFileSync(name, args, { encoding: 'utf8' });
      };
      const flood = (packets: number): void => {
        const code = `const socket = require('dgram').createSocket('udp4');
        let left = ${packets};
        const next = () => left-- === 0 ? socket.close() : socket.send(Buffer.alloc(3000), 4789, '${receiverAddress}', next);
        next();`;
        run(sender, process.execPath, '-e', code);
      };
      run(receiver, 'ip', 'link', 'set', receiverInterface, 'mtu', '1500');
      flood(5);
      const before = droppedByIp(receiver, receiverInterface);
      expect(before).toBeGreaterThanOrEqual(5);

      const [command = '', ...args] = commandIn(receiver, [
        process.execPath,
        '--input-type=module',
        '-e',
        program,
      ]);
      const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      flood(20);
      const answer = once(child.stdout, 'data');
      child.stdin.write('now\n');
      const [text] = (await answer) as [Buffer];
      await once(child, 'exit');
      const counts = new Map(JSON.parse(text.toString()) as [string, number][]);
      expect(counts.get('nic')).toBe(droppedByIp(receiver, receiverInterface) - before);
      expect(counts.get('nic')).toBeGreaterThanOrEqual(20);
      expect(counts.has('softnet')).toBe(true);
      expect(counts.has('ena_pps')).toBe(false);
    });
  },
);

test.skipIf(!native)('the table of this machine can be read', () => {
  expect(softnetDrops(readFileSync('/proc/net/softnet_stat', 'utf8'))).toBeGreaterThanOrEqual(0);
});
