import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CaptureFileInput } from '../../src/inputs/capture-file.ts';
import { encapsulationNames } from '../../src/packet/lane.ts';
import { verdictNames } from '../../src/packet/verdict.ts';
import { type Explanation, explainPacket } from '../../src/receive/explain/explain.ts';
import { type PdmlLayer, tsharkLayers } from '../support/pdml.ts';
import { buckets, defaultPorts, makeBench } from '../support/receiving.ts';
import { requires, requiresCaptures } from '../support/requires.ts';

/**
 * Every packet of every capture, decapsulated by the receiver and by tshark: the same lane, the same bytes of frame,
 * the same length before it was cut, the same checksum verdicts.
 */

interface Ours {
  readonly delivered: boolean;
  readonly bytes: Buffer;
  readonly vni: number | null;
  readonly encapsulation: string;
  readonly frameAt: number;
  readonly frameEnd: number;
  readonly wireLen: number;
  readonly transport: string;
  readonly explanation: Explanation;
}

async function decapsulate(
  path: string,
): Promise<{ packets: Ours[]; ledger: Record<string, [number, number]>; lanes: string[] }> {
  const { receiver, lanes, tally } = makeBench({ maxLanes: 256 });
  const packets: Ours[] = [];
  const names = new Set<string>();
  const input = new CaptureFileInput({ path });
  await input.open();
  await input.run(async (batch) => {
    receiver.process(batch);
    const delivered = new Set(batch.delivered.subarray(0, batch.deliveredCount));
    for (let slot = 0; slot < batch.count; slot++) {
      const [at, end] = [batch.at[slot]!, batch.end[slot]!];
      const isDelivered = delivered.has(slot);
      const lane = lanes.lane(batch.lane[slot]!);
      if (isDelivered) names.add(lane.name);
      packets.push({
        delivered: isDelivered,
        bytes: Buffer.from(batch.bytes.subarray(at, end)),
        vni: lane.vni,
        encapsulation: encapsulationNames[lane.encapsulation]!,
        frameAt: batch.frameAt[slot]! - at,
        frameEnd: batch.frameEnd[slot]! - at,
        wireLen: batch.frameWireLen[slot]!,
        transport: verdictNames[batch.transportVerdict[slot]!]!,
        explanation: explainPacket(
          batch.bytes,
          at,
          end,
          batch.wireLen[slot]!,
          batch.linkType[slot]!,
          defaultPorts,
        ),
      });
    }
  });
  return { packets, ledger: buckets(tally), lanes: [...names].toSorted() };
}

interface Tunnel {
  readonly encapsulation: string;
  readonly vni: number;
  readonly frameAt: number;
  readonly frameEnd: number;
  readonly inner: readonly PdmlLayer[];
}

/** The tunnel that tshark sees, if the outermost UDP goes to one of the two ports. */
function findTunnel(layers: readonly PdmlLayer[]): Tunnel | undefined {
  const udpIndex = layers.findIndex(({ name }) => name === 'udp');
  const outer = layers[udpIndex];
  const first = layers[udpIndex + 1];
  const port = Number(outer?.fields.get('udp.dstport')?.show);
  if (outer === undefined || first === undefined) return undefined;
  if (port === 4789 && first.name === 'vxlan') return tunnelOf(layers, udpIndex, udpIndex + 1, 'vxlan');
  if (port !== 6081 || first.name !== 'geneve') return undefined;
  const [ip, udp, vxlan] = layers.slice(udpIndex + 2);
  // the first fragment of a VXLAN packet is not one
  const isNested =
    ip?.fields.get('ip.flags.mf')?.show !== '1' &&
    /^ipv?6?$/.test(ip?.name ?? '') &&
    udp?.fields.get('udp.dstport')?.show === '4789' &&
    vxlan?.name === 'vxlan';
  if (isNested) return tunnelOf(layers, udpIndex + 3, udpIndex + 4, 'geneve+vxlan');
  return tunnelOf(layers, udpIndex, udpIndex + 1, 'geneve');
}

/** `undefined` where tshark itself gave up inside the header. */
function tunnelOf(
  layers: readonly PdmlLayer[],
  udpIndex: number,
  index: number,
  encapsulation: string,
): Tunnel | undefined {
  const header = layers[index]!;
  const udp = layers[udpIndex]!;
  const vni = header.fields.get(`${header.name}.vni`)?.value;
  if (vni === undefined) return undefined;
  const captured = Number(layers[1]!.fields.get('frame.cap_len')!.show);
  const udpEnd = udp.at + Number(udp.fields.get('udp.length')!.show);
  const udpLimit = outerEnd(layers, udpIndex);
  return {
    encapsulation,
    vni: Number.parseInt(vni, 16),
    frameAt: header.at + header.length,
    frameEnd: Math.min(captured, udpEnd, udpLimit),
    inner: layers.slice(index + 1),
  };
}

/** Where the IP packet around a UDP header ends; Infinity where it does not say. */
function outerEnd(layers: readonly PdmlLayer[], udpIndex: number): number {
  return ipEnd(layers[udpIndex - 1]) ?? Infinity;
}

/** One past the last byte that an IP header promises. */
function ipEnd(ip: PdmlLayer | undefined): number | undefined {
  const v4 = ip?.fields.get('ip.len');
  const v6 = ip?.fields.get('ipv6.plen');
  const length = Number(v4?.show ?? v6?.show ?? 0);
  if (ip === undefined || length === 0) return undefined;
  return ip.at + length + (v6 === undefined ? 0 : 40);
}

/** What tshark's state of a checksum is in our words; `undefined` where it has none. */
function verdictOf(state: string | undefined): string | undefined {
  // Bad, Good, Unverified, Not present, Illegal
  return state === undefined ? undefined : ['bad', 'valid', 'unverifiable', 'zero', 'zero'][Number(state)];
}

const ETHERNET_FIELDS = ['eth.dst', 'eth.src', 'eth.type'];
const IP_FIELDS = ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst'];

/** Bytes that tshark names in the inner headers are the bytes of our frame. */
function compareBytes(ours: Ours, { inner }: Tunnel): void {
  const [link, next] = inner;
  for (const layer of [link, next]) {
    for (const name of [...ETHERNET_FIELDS, ...IP_FIELDS]) {
      const field = layer?.fields.get(name);
      if (field === undefined || field.value === '') continue;
      expect(ours.bytes.toString('hex', field.at, field.at + field.value.length / 2)).toBe(field.value);
    }
  }
}

/** The inner IP layer, and the transport right behind it. */
function innerIp(inner: readonly PdmlLayer[]): {
  ip: PdmlLayer | undefined;
  transport: PdmlLayer | undefined;
} {
  const index = inner.findIndex(({ name }) => !['eth', 'vlan', 'ethertype', 'ieee8021ad'].includes(name));
  const ip = inner[index];
  if (ip === undefined || (ip.name !== 'ip' && ip.name !== 'ipv6'))
    return { ip: undefined, transport: undefined };
  const transport = inner.slice(index + 1).find(({ name: part }) => !part.startsWith('ipv6.'));
  return { ip, transport: /^(tcp|udp|icmp|icmpv6)$/.test(transport?.name ?? '') ? transport : undefined };
}

function compareLength(ours: Ours, tunnel: Tunnel): void {
  const { ip } = innerIp(tunnel.inner);
  const end = ipEnd(ip);
  if (end === undefined) return;
  const arrived = tunnel.frameEnd - tunnel.frameAt;
  expect(ours.wireLen).toBe(Math.max(arrived, end - tunnel.frameAt));
  expect(ours.explanation.frame?.truncated).toBe(end > tunnel.frameEnd);
}

function compareChecksums(ours: Ours, tunnel: Tunnel): void {
  const { frame } = ours.explanation;
  expect(frame?.transportChecksum).toBe(ours.transport);
  const { ip, transport } = innerIp(tunnel.inner);
  const ipState = verdictOf(ip?.fields.get('ip.checksum.status')?.show);
  // of a cut capture tshark judges no header, though all of it is there
  if (ipState !== undefined && ipState !== 'unverifiable') expect(frame?.ipChecksum).toBe(ipState);

  const state = verdictOf(transport?.fields.get(`${transport.name}.checksum.status`)?.show);
  if (ours.transport === 'valid') expect(state).toBe('valid');
  if (ours.transport === 'zero') expect(state).toBe('zero');
  // tshark knows no partial ones, and what was cut by the mirror it calls bad
  if (ours.transport === 'partial' || ours.transport === 'bad') expect(state).toBe('bad');
  if (state === 'valid') expect(ours.transport).toBe('valid');
  if (state === 'bad') expect(['partial', 'bad', 'unverifiable']).toContain(ours.transport);
}

/**
 * Its packets say wrong things of themselves, on which each program has its own mind; what the receiver makes of them
 * is said with them. Where the frame lies is compared all the same.
 */
const LIES = 'hostile.pcap';

/**
 * A UDP length of 0 (the datagram fills its packet, RFC 2675) or of more than its packet: tshark goes no further, the
 * receiver takes what there is.
 */
function hasOddLength(layers: readonly PdmlLayer[]): boolean {
  const index = layers.findIndex(({ name }) => name === 'udp');
  const udp = layers[index];
  const length = Number(udp?.fields.get('udp.length')?.show);
  return udp !== undefined && (length === 0 || udp.at + length > outerEnd(layers, index));
}

function compare(ours: Ours, layers: readonly PdmlLayer[], lies: boolean): void {
  const tunnel = findTunnel(layers);
  if (!ours.delivered) {
    if (!lies) expect(tunnel, 'tshark sees a tunnel').toBeUndefined();
    return;
  }
  if (tunnel === undefined && hasOddLength(layers)) return;
  expect(tunnel, 'tshark sees no tunnel').toBeDefined();
  expect({
    vni: ours.vni,
    encapsulation: ours.encapsulation,
    frameAt: ours.frameAt,
    frameEnd: ours.frameEnd,
  }).toEqual({
    vni: tunnel?.vni,
    encapsulation: tunnel?.encapsulation,
    frameAt: tunnel?.frameAt,
    frameEnd: tunnel?.frameEnd,
  });
  compareBytes(ours, tunnel!);
  if (lies) return;
  compareLength(ours, tunnel!);
  compareChecksums(ours, tunnel!);
}

function capturesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .map((name) => join(folder, name));
}

const samples = capturesIn(join(import.meta.dirname, '../../samples'));
const real = requiresCaptures();
const captures = [...samples, ...(real === undefined ? [] : capturesIn(real))].map((path) => ({
  name: basename(path),
  path,
}));

describe.skipIf(!requires('tshark'))('tshark agrees', () => {
  test.each(captures)('$name', async ({ path }) => {
    const { packets } = await decapsulate(path);
    const seen = tsharkLayers(path);
    expect(packets).toHaveLength(seen.length);
    const differences: string[] = [];
    for (const [index, ours] of packets.entries()) {
      try {
        compare(ours, seen[index]!, basename(path) === LIES);
      } catch (error) {
        differences.push(`packet ${index + 1}: ${String(error)}`);
      }
    }
    expect(differences).toEqual([]);
  });
});

/** What the real captures are known to hold. */
const known = [
  { name: 'aws-mirror-2019.pcap', lane: 'vni-5569041', packets: 100, checksums: ['valid'] },
  { name: 'zeek-vxlan.pcap', lane: 'vni-123', packets: 10, checksums: ['none', 'valid'] },
  { name: 'zeek-vxlan-encapsulated-http.pcap', lane: 'vni-1', packets: 12, checksums: ['valid'] },
  {
    name: 'zeek-geneve-vxlan-dns-truncated.pcap',
    lane: 'gwlb-4242',
    packets: 2,
    checksums: ['unverifiable'],
  },
];

describe.skipIf(real === undefined)('the real captures hold what they are known to hold', () => {
  test.each(known)('$name: $lane', async ({ name, lane, packets: count, checksums }) => {
    const { packets, ledger, lanes } = await decapsulate(join(real!, name));
    expect(lanes).toEqual([lane]);
    expect(Object.keys(ledger)).toEqual(['received', 'delivered']);
    expect(packets).toHaveLength(count);
    expect([...new Set(packets.map(({ transport }) => transport))].toSorted()).toEqual(checksums);
  });
});
