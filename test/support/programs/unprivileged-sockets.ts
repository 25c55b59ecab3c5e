/**
 * Gives up root, opens two sockets that share a port, sends one datagram to it and says in a line of JSON what came of
 * it. As in a container without any capability.
 */
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MmsgInput } from '../../../src/inputs/mmsg/mmsg-input.ts';
import { loadNative } from '../../../src/native/library.ts';
import { now, openTestSockets, portOf } from '../mmsg-sockets.ts';
import { Collector, senderOn, sendTo } from '../socket-traffic.ts';

const NOBODY = 65_534;

process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);

const missing = await loadNative();
if (missing !== undefined) throw new Error(missing);
const set = await openTestSockets({ workers: 2, receiveBufferBytes: 67_108_864 });
const inputs = set.handles.map((sockets) => new MmsgInput({ sockets, now }));
for (const input of inputs) await input.open();
const collectors = inputs.map((input) => new Collector(input));
const sender = await senderOn('127.0.0.1');
await sendTo(sender, 'received', portOf(set), '127.0.0.1');
while (collectors.every(({ packets }) => packets.length === 0)) await nextTurn();
for (const input of inputs) await input.close();
const payloads = collectors.flatMap(({ packets }) =>
  packets.map(({ bytes }) => bytes.toString('latin1', 28)),
);
const said = {
  uid: process.getuid?.(),
  capabilities: /^CapEff:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1],
  payloads,
  drops: set.kernelDrops(),
  steering: set.steering,
  receiveBufferBytes: set.bound()[0]?.receiveBufferBytes,
};
set.close();
sender.close();
process.stdout.write(`${JSON.stringify(said)}\n`);
