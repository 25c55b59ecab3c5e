import { Innermost, Ports } from '../../src/packet/innermost.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';

/** One packet of a conversation between 192.0.2.1 and 198.51.100.2. */
export interface PayloadPacket {
  readonly protocol: 'tcp' | 'udp';
  readonly payload: Uint8Array;
  /** True from 192.0.2.1, which has the first port. */
  readonly fromClient?: boolean;
  readonly ports?: readonly [client: number, server: number];
  readonly sequence?: number;
}

/** An IPv4 packet in a block, and where everything in it lies. */
export interface PlacedPacket {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly innermost: Innermost;
  readonly payloadAt: number;
  readonly payloadEnd: number;
}

const MARGIN = 64;
const client = [192, 0, 2, 1];
const server = [198, 51, 100, 2];

/** Builds a packet with other bytes before and after it, as in a block full of packets. */
export function payloadPacket(packet: PayloadPacket, filling = 0x16): PlacedPacket {
  const { protocol, payload, fromClient = true, ports = [40_000, 443], sequence = 1 } = packet;
  const transportLen = protocol === 'tcp' ? tcp.HEADER_LEN : udp.HEADER_LEN;
  const bytes = Buffer.alloc(2 * MARGIN + ipv4.HEADER_LEN + transportLen + payload.length, filling);
  const transportAt = MARGIN + ipv4.HEADER_LEN;
  const payloadAt = transportAt + transportLen;
  const [sourcePort, destinationPort] = fromClient ? ports : [ports[1], ports[0]];
  bytes[MARGIN] = 0x45;
  bytes.set(fromClient ? client : server, MARGIN + ipv4.SOURCE);
  bytes.set(fromClient ? server : client, MARGIN + ipv4.DESTINATION);
  if (protocol === 'tcp') {
    tcp.emit(bytes, transportAt, sourcePort, destinationPort, sequence, 0, tcp.Flag.ack, 0xffff);
  } else {
    udp.emit(bytes, transportAt, sourcePort, destinationPort, udp.HEADER_LEN + payload.length, 0);
  }
  bytes.set(payload, payloadAt);

  const innermost = new Innermost();
  innermost.ipVersion = 4;
  innermost.ipAt = MARGIN;
  innermost.sourceAt = MARGIN + ipv4.SOURCE;
  innermost.destinationAt = MARGIN + ipv4.DESTINATION;
  innermost.end = payloadAt + payload.length;
  innermost.wireLen = innermost.end - MARGIN;
  innermost.protocol = protocol === 'tcp' ? IpProtocol.tcp : IpProtocol.udp;
  innermost.transportAt = transportAt;
  innermost.ports = Ports.known;
  innermost.sourcePort = sourcePort;
  innermost.destinationPort = destinationPort;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, innermost, payloadAt, payloadEnd: innermost.end };
}
