import { expect } from 'vitest';
import { traffic } from '../../samples/make/traffic.ts';
import { NamedSenders } from '../../src/inputs/named-senders.ts';
import { HEADER_MAX_LEN, writeSocketHeader } from '../../src/inputs/socket-header.ts';
import { MirrorSender } from '../../src/mirror/sender.ts';
import { makeSession, type MirrorSession, type TargetType, WHOLE_FRAME } from '../../src/mirror/session.ts';
import { sourcePort } from '../../src/mirror/source-port.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { parseAddress } from '../../src/wire/address.ts';
import type { Arrival } from './network.ts';
import type { Bench } from './receiving.ts';
import type { Seeded } from './seeded.ts';

const ROUNDS = 2;

/** A session, and the way of its datagrams. */
export interface Route {
  /** What the receiver calls the lane. */
  readonly lane: string;
  readonly session: MirrorSession;
  /** Where the datagram comes from, and the port it goes to. */
  readonly from: string;
  readonly port: number;
}

/** A datagram that was sent, and what is in it. */
export interface Datagram {
  readonly route: Route;
  readonly frame: Uint8Array;
  readonly bytes: Buffer;
  readonly sourcePort: number;
}

function route(lane: string, type: TargetType, vni: number, packetLength: number, from = '10.0.1.10'): Route {
  const version = from.includes(':') ? 6 : 4;
  const target = {
    type,
    address: addressOf(version === 4 ? '10.9.0.1' : '2001:db8:9::1'),
    endpointHigh: 0x0a1b_2c3d,
    endpointLow: 0x4e5f_6071,
  };
  const port = type === 'gateway-load-balancer-endpoint' ? 6081 : 4789;
  return { lane, session: makeSession({ address: addressOf(from) }, target, vni, packetLength), from, port };
}

function addressOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address.`);
  return address.bytes;
}

const gateway = 'gateway-load-balancer-endpoint';
export const routes: readonly Route[] = [
  route('vni-7', 'network-interface', 7, WHOLE_FRAME),
  route('vni-4660', 'network-load-balancer', 4660, 64),
  route('vni-16777215', 'network-interface', 0xff_ffff, 12, '2001:db8:1::10'),
  route('gwlb-300-0a1b2c3d4e5f6071', gateway, 300, WHOLE_FRAME),
  route('gwlb-301-0a1b2c3d4e5f6071', gateway, 301, 100, '2001:db8:1::11'),
];

/** All frames of the samples under every session, in turn. */
export function send(): Datagram[] {
  const senders = routes.map((one) => ({ route: one, sender: new MirrorSender(one.session) }));
  const datagrams: Datagram[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const { bytes: frame } of traffic()) {
      for (const { route: via, sender } of senders) {
        expect(sender.accept(frame.length, LinkType.ethernet)).toBe(true);
        const bytes = Buffer.alloc(sender.datagramLen(frame.length));
        expect(sender.mirror(frame, 0, frame.length, bytes, 0)).toBe(bytes.length);
        datagrams.push({ route: via, frame, bytes, sourcePort: sourcePort(sender.hash) });
      }
    }
  }
  for (const { route: via, sender } of senders) {
    const sent = datagrams.filter((one) => one.route === via);
    expect([sender.received, sender.mirrored]).toEqual([sent.length, sent.length]);
    expect(sender.truncated).toBe(sent.filter(isCut).length);
  }
  return datagrams;
}

/** Bytes of the frame that are in the datagram. */
export function kept({ route: { session }, frame }: Datagram): number {
  return session.packetLength === WHOLE_FRAME ? frame.length : Math.min(frame.length, session.packetLength);
}

/** Says whether the session's packet length cut it. */
export function isCut(datagram: Datagram): boolean {
  return kept(datagram) < datagram.frame.length;
}

/** A datagram that the network let through. */
export type Let = Arrival<Datagram>;

/** Receives all arrivals in batches of any size, and says which of them were delivered as what. */
export function receive(random: Seeded, bench: Bench, arrivals: readonly Let[]): Received[] {
  const senders = new NamedSenders();
  const received: Received[] = [];
  for (let from = 0; from < arrivals.length; ) {
    const some = arrivals.slice(from, from + 1 + random.below(200));
    from += some.length;
    const batch = batchOf(senders, some);
    bench.receiver.process(batch);
    received.push(...outcomes(bench, batch, some));
  }
  return received;
}

/** What came of one arrival: nothing more is known of one that was not delivered. */
export interface Received {
  readonly arrival: Let;
  readonly lane?: string;
  readonly frame?: string;
  readonly wireLen?: number;
}

function batchOf(senders: NamedSenders, arrivals: readonly Let[]): PacketBatch {
  const space = arrivals.reduce((sum, { bytes }) => sum + HEADER_MAX_LEN + bytes.length, 0);
  const batch = new PacketBatch(arrivals.length, Buffer.alloc(space));
  let at = 0;
  for (const [slot, { sent, bytes, timeUs }] of arrivals.entries()) {
    const { from, port } = sent.route;
    const sender = senders.socketAddress(from, sent.sourcePort);
    const payloadAt = writeSocketHeader(batch.view, at, sender, 0, port, bytes.length);
    batch.bytes.set(bytes, payloadAt);
    batch.at[slot] = at;
    at = payloadAt + bytes.length;
    batch.end[slot] = at;
    batch.wireLen[slot] = at - (batch.at[slot] ?? 0);
    batch.linkType[slot] = LinkType.raw;
    batch.seconds[slot] = 1 + Math.floor(timeUs / 1e6);
    batch.nanoseconds[slot] = (timeUs % 1e6) * 1000;
  }
  batch.count = arrivals.length;
  return batch;
}

function outcomes({ lanes }: Bench, batch: PacketBatch, arrivals: readonly Let[]): Received[] {
  const delivered = [...batch.delivered.subarray(0, batch.deliveredCount)];
  expect(delivered).toEqual(delivered.toSorted((a, b) => a - b));
  expect(new Set(delivered).size).toBe(delivered.length);
  const slots = new Set(delivered);
  return arrivals.map((arrival, slot) => {
    if (!slots.has(slot)) return { arrival };
    return {
      arrival,
      lane: lanes.lane(batch.lane[slot] ?? -1).name,
      frame: batch.bytes.toString('hex', batch.frameAt[slot], batch.frameEnd[slot]),
      wireLen: batch.frameWireLen[slot] ?? -1,
    };
  });
}
