/**
 * Sends mirrored packets from memory, as fast as the kernel takes them or at a rate: `node packet-sender.ts JSON`, a
 * `SenderShape`, inside the sender's namespace. Prints `ready`; then each line on standard input, a `SenderOrder`, is
 * answered by a line of JSON, a `Sent`. Ends with standard input.
 */
import { createInterface } from 'node:readline';
import { host } from '../../../samples/make/packets.ts';
import { family, level, packetOption, socketType } from '../../../src/native/constants.ts';
import { interfaceIndex } from '../../../src/native/interface.ts';
import { loadNative } from '../../../src/native/library.ts';
import { MessageVector, sendMessages } from '../../../src/native/messages.ts';
import { bindSocket, openSocket, setIntOption } from '../../../src/native/socket.ts';
import { mirroredLoad, putNumber } from '../mirrored-load.ts';
import type { SenderOrder, SenderShape, Sent } from '../packet-sender.ts';

/** Most messages that a call sends: the clock is looked at in between. */
const BURST_MAX = 256;
/** At a rate, packets leave at the latest after so long; a timer is not much finer. */
const BURST_MS = 0.5;
/** `linux/if_packet.h struct sockaddr_ll` */
const SOCKADDR_LL = { bytes: 20, family: 0, protocol: 2, interfaceIndex: 4 } as const;

const shape = JSON.parse(process.argv[2] ?? '') as SenderShape;
const failure = await loadNative();
if (failure !== undefined) throw new Error(failure);
const nap = new Int32Array(new SharedArrayBuffer(4));
const descriptor = openPacketSocket();
const vector = loadVector();
let next = 0;
let number = 0;

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(send(JSON.parse(line) as SenderOrder))}\n`);
}

function openPacketSocket(): number {
  // protocol 0: it sends only
  const packets = openSocket(family.AF_PACKET, socketType.SOCK_RAW, 0);
  const address = Buffer.alloc(SOCKADDR_LL.bytes);
  address.writeUInt16LE(family.AF_PACKET, SOCKADDR_LL.family);
  address.writeInt32LE(interfaceIndex(shape.interface), SOCKADDR_LL.interfaceIndex);
  bindSocket(packets, address);
  if (shape.bypassQueue) setIntOption(packets, level.SOL_PACKET, packetOption.PACKET_QDISC_BYPASS, 1);
  return packets;
}

function loadVector(): MessageVector {
  const { innerBytes, connections, vnis, sourcePorts } = shape;
  // the hardware addresses of a test network end in 1 and 2
  const from = host(1, shape.senderAddress, '2001:db8::1');
  const to = host(2, shape.receiverAddress, '2001:db8::2');
  const frames = mirroredLoad({ innerBytes, connections, vnis, sourcePorts, from, to });
  const messages = new MessageVector(frames.length, Math.max(...frames.map(({ length }) => length)), 0, 0);
  for (const [i, frame] of frames.entries()) messages.bytes.set(frame, messages.bufferAt(i));
  return messages;
}

function send({ packetsPerSecond, seconds, packets }: SenderOrder): Sent {
  const most = Math.min(packets, packetsPerSecond === 0 ? Infinity : Math.round(packetsPerSecond * seconds));
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let sent = 0;
  let refused = 0;
  for (let nowMs = startMs; sent < most && nowMs < endMs; nowMs = performance.now()) {
    const due = packetsPerSecond === 0 ? Infinity : ((nowMs - startMs) * packetsPerSecond) / 1000;
    if (due <= sent) {
      Atomics.wait(nap, 0, 0, BURST_MS);
      continue;
    }
    const taken = burst(Math.min(Math.floor(due) + 1, most) - sent);
    sent += taken;
    if (taken === 0) refused++;
  }
  const took = (performance.now() - startMs) / 1000;
  return { sent, seconds: took, rate: Math.round(sent / took), refused };
}

/** Sends up to so many of the frames that are next, each with its number; returns how many the kernel took. */
function burst(wanted: number): number {
  const count = Math.min(wanted, BURST_MAX, vector.messages - next);
  for (let i = 0; i < count; i++) putNumber(vector.view, vector.bufferAt(next + i), number + i);
  const taken = sendMessages(descriptor, vector, next, count);
  number += taken;
  next = (next + taken) % vector.messages;
  return taken;
}
