import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { frame4, frame6, type Host, host, tcpSegment, udpDatagram } from '../../samples/make/packets.ts';
import { Seeded } from './seeded.ts';
import { geneve, gwlb, vxlan } from './tunnels.ts';

/** One datagram to a tunnel port, and which connection is inside. */
export interface Mirrored {
  readonly connection: number;
  /** Which of `OUTER_PORTS` source ports it leaves from. */
  readonly outerPort: number;
  readonly port: 'vxlan' | 'geneve';
  readonly payload: Buffer;
}

/** Outer source ports that mirrored packets of one interface were seen to take. */
const OUTER_PORTS = 128;
/** One of so many connections is a question to the resolver; all of its answers leave from one port. */
const DNS_EVERY = 5;
const GENEVE_EVERY = 3;
const IPV6_EVERY = 4;
/** Flag of a TCP segment, RFC 9293 section 3.1. */
const ACK = 0x10;
/** How many datagrams go out before the receiver is given a moment. */
const BURST = 64;

/**
 * Both directions of `count` connections as AWS mirrors them: an outer source port that follows from the direction's
 * own addresses and ports, so that the two directions seldom share it, and one for all answers of the resolver.
 *
 * @param vxlanPort where VXLAN is expected, inside GENEVE, too
 */
export function bothDirections(count: number, seed: number, vxlanPort: number): Mirrored[] {
  const random = new Seeded(seed);
  const packets: Mirrored[] = [];
  for (let connection = 0; connection < count; connection++) {
    const dns = connection % DNS_EVERY === 0;
    const [a, b] = [address(1, connection), dns ? address(2, 2) : address(2, random.below(500))];
    const [portA, portB] = [1024 + random.below(60_000), dns ? 53 : 443];
    const asked = frameOf(connection, a, b, [portA, portB], dns);
    const answered = frameOf(connection, b, a, [portB, portA], dns);
    const [out, back] = [random.below(OUTER_PORTS), dns ? 0 : random.below(OUTER_PORTS)];
    packets.push({ connection, outerPort: out, ...wrapped(connection, asked, vxlanPort) });
    packets.push({ connection, outerPort: back, ...wrapped(connection, answered, vxlanPort) });
  }
  return packets;
}

function address(net: number, number: number): Host {
  const [high, low] = [(number >> 8) & 0xff, number & 0xff];
  return host(net, `10.${net}.${high}.${low}`, `2001:db8:${net}::${(number + 1).toString(16)}`);
}

/** The frame's first four bytes are the connection's number, as `walkPcapng` reads it. */
function frameOf(
  connection: number,
  from: Host,
  to: Host,
  ports: readonly [number, number],
  dns: boolean,
): Buffer {
  const transport = dns
    ? udpDatagram(...ports, Buffer.from('resolved'))
    : tcpSegment({
        sourcePort: ports[0],
        destinationPort: ports[1],
        sequence: 1,
        acknowledgement: 1,
        flags: ACK,
      });
  const frame = connection % IPV6_EVERY === 1 ? frame6(from, to, transport) : frame4(from, to, transport);
  frame.writeUInt32BE(connection);
  return frame;
}

function wrapped(connection: number, frame: Buffer, vxlanPort: number): Pick<Mirrored, 'port' | 'payload'> {
  const datagram = vxlan(frame);
  if (connection % GENEVE_EVERY !== 0) return { port: 'vxlan', payload: datagram };
  const inside = frame4(address(9, 1), address(9, 2), udpDatagram(65_408, vxlanPort, datagram)).subarray(14);
  return { port: 'geneve', payload: geneve(0x0800, inside, gwlb) };
}

/** Sends from `OUTER_PORTS` sockets on loopback, slowly enough for any receiver. */
export async function sendMirrored(
  packets: readonly Mirrored[],
  ports: Readonly<Record<Mirrored['port'], number>>,
): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: OUTER_PORTS }, openSocket));
  try {
    for (const [index, { outerPort, port, payload }] of packets.entries()) {
      const sent = new Promise((done) => sockets[outerPort]?.send(payload, ports[port], '127.0.0.1', done));
      if (index % BURST === 0) await sent;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  } finally {
    for (const socket of sockets) socket.close();
  }
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
