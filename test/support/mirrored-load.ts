import { type Host, frame4, host, tcpSegment } from '../../samples/make/packets.ts';
import { outer, vxlanTunnel } from '../../samples/make/mirrored.ts';
import { encapsulate, headersLen } from '../../src/mirror/encapsulate.ts';
import { FlowHash } from '../../src/mirror/source-port.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import * as vxlan from '../../src/wire/vxlan.ts';

/** Mirrored traffic as one interface of AWS sends it: many inner TCP connections behind few outer source ports. */
export interface LoadShape {
  /** Bytes of each inner frame, at least `INNER_BYTES_MIN`. */
  readonly innerBytes: number;
  /** Inner connections; each is there in both directions. */
  readonly connections: number;
  /** Connections are dealt out to so many VNIs, from 1 on. */
  readonly vnis: number;
  /** Outer source ports, from 49152 on; in an AWS capture there were 128. */
  readonly sourcePorts: number;
  readonly from: Host;
  readonly to: Host;
}

/** Ethernet, IPv4, TCP, and the number of the packet. */
const NUMBER_LEN = 8;
export const INNER_BYTES_MIN = ethernet.HEADER_LEN + ipv4.HEADER_LEN + tcp.HEADER_LEN + NUMBER_LEN;

const OUTER_LEN = ethernet.HEADER_LEN + ipv4.HEADER_LEN + udp.HEADER_LEN + vxlan.HEADER_LEN;
/** Offset of the packet's number in the outer frame: the first bytes of the inner TCP data. */
const NUMBER_AT = OUTER_LEN + INNER_BYTES_MIN - NUMBER_LEN;
const PORT_FIRST = 49_152;
const SERVER_PORT = 443;

/**
 * Two outer frames a connection, one for each direction, with all checksums right (the outer UDP checksum is zero, as
 * VXLAN has it). The connections take turns.
 */
export function mirroredLoad(shape: LoadShape): Buffer[] {
  const frames: Buffer[] = [];
  const hash = new FlowHash();
  for (const direction of [0, 1]) {
    for (let connection = 0; connection < shape.connections; connection++) {
      const inner = innerFrame(shape, connection, direction);
      const vni = 1 + (connection % shape.vnis);
      const tunnel = vxlanTunnel(shape.from, shape.to, vni);
      const flow = hash.hash(inner, 0, inner.length);
      const payload = Buffer.alloc(headersLen(tunnel.session) + inner.length);
      encapsulate(tunnel.session, inner, 0, inner.length, flow, payload, 0);
      frames.push(outer(tunnel, PORT_FIRST + (flow % shape.sourcePorts), payload));
    }
  }
  return frames;
}

/**
 * Writes the number of a packet, 0 .. 2^32 - 1, into the frame at `at`. Its complement stands behind it, so that the
 * checksum stays right.
 */
export function putNumber(view: DataView, at: number, number: number): void {
  view.setUint32(at + NUMBER_AT, number);
  view.setUint32(at + NUMBER_AT + 4, ~number);
}

/** The number in the inner frame that begins at `at`, or -1 where there is none. */
export function numberOf(view: DataView, at: number): number {
  const number = view.getUint32(at + NUMBER_AT - OUTER_LEN);
  return (number ^ view.getUint32(at + NUMBER_AT - OUTER_LEN + 4)) === -1 ? number : -1;
}

function innerFrame({ innerBytes }: LoadShape, connection: number, direction: number): Buffer {
  const client = host(3, `10.1.${(connection >>> 8) & 0xff}.${connection & 0xff}`, '2001:db8::3');
  const server = host(4, `10.2.0.${1 + (connection % 250)}`, '2001:db8::4');
  const clientPort = 1024 + (connection % 60_000);
  const data = Buffer.alloc(innerBytes - INNER_BYTES_MIN + NUMBER_LEN, connection);
  data.fill(0xff, 0, NUMBER_LEN / 2);
  data.fill(0, NUMBER_LEN / 2, NUMBER_LEN);
  const flags = tcp.Flag.ack | tcp.Flag.psh;
  const common = { sequence: 1, acknowledgement: 1, flags, data };
  return direction === 0
    ? frame4(client, server, tcpSegment({ sourcePort: clientPort, destinationPort: SERVER_PORT, ...common }))
    : frame4(server, client, tcpSegment({ sourcePort: SERVER_PORT, destinationPort: clientPort, ...common }));
}
