import { expect } from 'vitest';
import type { Report } from '../../../src/observe/report.ts';
import { parseAddress } from '../../../src/wire/address.ts';
import { type FlowLine, laneAndId } from '../flow-lines.ts';
import { tsharkFields } from '../tshark-fields.ts';
import type { CapturedPacket } from './appliance-run.ts';
import { type LanePacketSeen, packetText, type TopicPacket } from './topic-packets.ts';

/** The same packets, each as often. */
export function expectSame(found: readonly LanePacketSeen[], wanted: readonly LanePacketSeen[]): void {
  expect(found.length).toBe(wanted.length);
  expect(found.map(packetText).toSorted()).toEqual(wanted.map(packetText).toSorted());
}

/** Packets of one worker and key are in the order in which that worker wrote them into files. */
export function expectOrder(
  found: readonly TopicPacket[],
  captured: readonly CapturedPacket[],
  keyOf: (packet: TopicPacket) => string,
): void {
  const workers = new Map(captured.map((packet) => [packetText(packet), packet.worker]));
  const keys = new Map(found.map((packet) => [packetText(packet), keyOf(packet)]));
  const rowOf = (text: string): string => `${workers.get(text)} ${keys.get(text)}`;
  const inOrder = Object.groupBy(captured.map(packetText), rowOf);
  const asRead = Object.groupBy(found.map(packetText), rowOf);
  expect(Object.keys(asRead).length).toBeGreaterThan(20);
  expect(asRead).toEqual(inOrder);
}

/** Headers that all packets of a lane have. */
export function laneHeaders(report: Report, name: string): Record<string, string> {
  const { vni, encapsulation, gwlbEndpointId } = report.lanes.find((lane) => lane.name === name)!;
  const endpoint = gwlbEndpointId === undefined ? {} : { 'gwlb-endpoint': gwlbEndpointId };
  return { vni: String(vni), encapsulation, ...endpoint };
}

/** Headers, counted by lane, say what the report counted. */
export function expectLaneCounts(frames: readonly TopicPacket[], report: Report): void {
  const byLane = Object.groupBy(frames, ({ lane }) => lane);
  const counted = report.lanes.map(({ name }) => {
    const packets = byLane[name] ?? [];
    const headers = packets.map(({ record }) => record.headers);
    const verdicts = ['valid', 'partial', 'zero', 'bad', 'unverifiable'].map((verdict) => [
      verdict,
      headers.filter((one) => one.get('checksum') === verdict).length,
    ]);
    return {
      name,
      packets: packets.length,
      bytes: packets.reduce((sum, { data }) => sum + data.length / 2, 0),
      wireBytes: packets.reduce((sum, { wireLen }) => sum + wireLen, 0),
      truncated: headers.filter((one) => one.get('truncated') === '1').length,
      transport: Object.fromEntries(verdicts) as Record<string, number>,
    };
  });
  const reported = report.lanes.map(({ name, packets, bytes, wireBytes, truncated, checksum }) => {
    return { name, packets, bytes, wireBytes, truncated, transport: checksum.transport };
  });
  expect(counted).toEqual(reported);
}

/** Each Community ID of a lane has as many packets as flow records count of it, with their key and mirror source. */
export function expectFlowHeaders(frames: readonly TopicPacket[], flows: readonly FlowLine[]): void {
  const counts: Record<string, number> = {};
  const known = new Map<string, Record<string, string>>();
  for (const flow of flows) {
    const id = laneAndId(flow);
    counts[id] = (counts[id] ?? 0) + flow.network.packets;
    known.set(id, { key: flowKey(flow), mirrorSource: flow.mirrortap.mirror_source.ip });
  }
  const found: Record<string, number> = {};
  for (const { lane, record } of frames) {
    const { headers, key } = record;
    const communityId = headers.get('community-id');
    if (communityId === undefined) expect(String(key)).toBe(lane);
    else {
      const id = `${lane} ${communityId}`;
      found[id] = (found[id] ?? 0) + 1;
      expect({ key: String(key), mirrorSource: headers.get('mirror-source') }).toEqual(known.get(id));
    }
  }
  expect(found).toEqual(counts);
}

/** Key of a flow record's topic and of its packets: the lower address first. */
export function flowKey({ source, destination, mirrortap }: FlowLine): string {
  const bytes = (text: string): Uint8Array => parseAddress(text)?.bytes ?? Buffer.alloc(0);
  const inOrder = Buffer.compare(bytes(source.ip), bytes(destination.ip)) <= 0;
  const [lower, higher] = inOrder ? [source.ip, destination.ip] : [destination.ip, source.ip];
  return `${mirrortap.lane}/${lower}/${higher}`;
}

/**
 * Community IDs are those of tshark, in whose eyes too the innermost IP header counts. It has none for what is cut, and another
 * for fragments, whose ports it does not carry over.
 */
export function expectCommunityIds(frames: readonly TopicPacket[]): void {
  const wanted = frames.filter(
    ({ lane, record }) => /^(?:vni-42|vni-9|gwlb-.*)$/.test(lane) && record.headers.has('community-id'),
  );
  const fields = ['communityid', 'ip.flags.mf', 'ip.frag_offset'];
  const rows = tsharkFields(
    wanted.map(({ data }) => Buffer.from(data, 'hex')),
    1,
    fields,
  );
  const pairs = rows.flatMap((row, index) => {
    const isFragment = [...(row['ip.flags.mf'] ?? []), ...(row['ip.frag_offset'] ?? [])].some(
      (value) => value !== '0',
    );
    const id = row['communityid']?.at(-1);
    return isFragment || id === undefined ? [] : [[wanted[index]?.record.headers.get('community-id'), id]];
  });
  expect(pairs.length).toBeGreaterThan(700);
  expect(pairs.map(([ours]) => ours)).toEqual(pairs.map(([, theirs]) => theirs));
}
