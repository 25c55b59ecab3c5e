import {
  directionNames,
  flowEndReasonNames,
  type FlowName,
  type FlowRecord,
  type FlowSide,
  initiatorNames,
  NameKind,
  tcpStateNames,
} from '../../src/packet/flow-record.ts';
import { nestNames, Ports } from '../../src/packet/innermost.ts';
import { encapsulationNames } from '../../src/packet/lane.ts';
import { isoTimestamp } from '../../src/observe/timestamp.ts';
import { formatAddress, parseAddress } from '../../src/wire/address.ts';

/**
 * What a flow record says, put together as an object: the slow way, which the encoder is compared with. Durations past
 * 2^53 are as inexact as JSON.parse makes them.
 */
export function flowObject(record: FlowRecord, observer: string): unknown {
  const { source, destination, names: all, ports, protocol, lane } = record;
  const names = all.slice(0, 16).map(({ kind, text }) => ({ kind, text: text.slice(0, 255) }));
  const isIcmp = protocol === 1 || protocol === 58;
  const hasPorts = ports === Ports.known && !isIcmp;
  const first = isoTimestamp(record.firstSeconds, record.firstNanoseconds);
  const last = isoTimestamp(record.lastSeconds, record.lastNanoseconds);
  const final = record.endReason !== 0;
  const questions = all16(names, NameKind.dnsQuestion);
  const answers = all16(names, NameKind.dnsAnswer);
  const resolved = answers.filter((text) => parseAddress(text) !== undefined);
  const [serverName] = all16(names, NameKind.tlsServerName);
  const [host] = all16(names, NameKind.httpHost);
  const [method] = all16(names, NameKind.httpMethod);
  const [alpn] = all16(names, NameKind.tlsAlpn);
  const [ja4] = all16(names, NameKind.ja4);
  const [protocolName] = all16(names, NameKind.protocol);
  const address = (bytes: Uint8Array, version: number) => formatAddress(bytes, 0, version);
  const side = ({ address: bytes, port, packets, wireBytes }: FlowSide) => ({
    ip: address(bytes, record.ipVersion),
    ...(hasPorts ? { port } : {}),
    packets,
    bytes: wireBytes,
  });
  return clean({
    '@timestamp': last,
    ecs: { version: '8.17' },
    event: {
      kind: 'event',
      category: ['network'],
      type: ['connection', ...(record.sequence === 0 ? ['start'] : []), ...(final ? ['end'] : [])],
      start: first,
      end: last,
      duration: Number(durationOf(record)),
    },
    source: side(source),
    destination: { ...side(destination), domain: serverName ?? host },
    network: {
      type: `ipv${record.ipVersion}`,
      iana_number: String(protocol),
      protocol: protocolName,
      direction: record.direction === 0 ? undefined : directionNames[record.direction],
      vlan: record.vlanId < 0 ? undefined : { id: String(record.vlanId) },
      packets: source.packets + destination.packets,
      bytes: source.wireBytes + destination.wireBytes,
      community_id: record.communityId,
    },
    dns: {
      question: { name: questions[0] },
      answers: answers.length === 0 ? undefined : answers.map((data) => ({ data })),
      resolved_ip: resolved.length === 0 ? undefined : resolved,
    },
    tls: { client: { server_name: serverName } },
    http: { request: { method } },
    url: { domain: host },
    observer: { name: observer },
    mirrortap: {
      flow_id: [record.idHigh, record.idLow]
        .map((half) => (half >>> 0).toString(16).padStart(8, '0'))
        .join(''),
      sequence: record.sequence,
      final,
      end_reason: flowEndReasonNames[record.endReason],
      initiator: initiatorNames[record.initiator],
      flow_start: isoTimestamp(record.startSeconds, record.startNanoseconds),
      lane: lane.name,
      vni: lane.vni,
      encapsulation: encapsulationNames[lane.encapsulation],
      gwlb_endpoint_id: lane.gwlbEndpointId,
      mirror_source: { ip: address(record.mirrorSource, record.mirrorSourceVersion) },
      truncated_packets: record.truncatedPackets,
      source: { captured_bytes: source.capturedBytes },
      destination: { captured_bytes: destination.capturedBytes },
      duplicate_packets: record.duplicatePackets || undefined,
      fragments: record.fragments || undefined,
      checksum:
        record.badChecksums + record.partialChecksums === 0
          ? undefined
          : { bad: record.badChecksums, partial: record.partialChecksums },
      ports_unknown: ports === Ports.unknown ? true : undefined,
      icmp: ports === Ports.known && isIcmp ? icmpOf(record) : undefined,
      nested: nestedOf(record),
      tcp: tcpOf(record),
      dns: { questions: questions.length > 1 ? questions : undefined },
      tls: { alpn, ja4 },
    },
  });
}

export function durationOf(record: FlowRecord): bigint {
  const at = (seconds: number, nanoseconds: number) => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const duration =
    at(record.lastSeconds, record.lastNanoseconds) - at(record.firstSeconds, record.firstNanoseconds);
  return duration < 0n ? 0n : duration;
}

/** Types whose answer has another, RFC 792, 950, 1256 and 4443, 4861, 4620, 2710: their code is always 0. */
const answered: Readonly<Record<number, readonly number[]>> = {
  1: [0, 8, 9, 10, 13, 14, 15, 16, 17, 18],
  58: [128, 129, 130, 131, 133, 134, 135, 136, 139, 140, 144, 145],
};

function icmpOf({ protocol, source, destination }: FlowRecord): unknown {
  const type = source.port;
  return { type, code: answered[protocol]?.includes(type) === true ? 0 : destination.port };
}

function nestedOf({ nestedPath, nestedId }: FlowRecord): string | undefined {
  const steps = [0, 4, 8, 12].map((shift) => nestNames[(nestedPath >>> shift) & 15] ?? '');
  const path = steps.filter((step) => step !== '').join('/');
  if (path === '') return undefined;
  return nestedId === 0 ? path : `${path}:${nestedId}`;
}

function tcpOf(record: FlowRecord): unknown {
  if (record.tcpState === 0) return undefined;
  const flags = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'];
  const side = (of: FlowSide) => ({
    flags: flags.filter((_flag, bit) => (of.tcpFlags & (1 << bit)) !== 0),
    retransmissions: of.retransmissions || undefined,
    out_of_order: of.outOfOrder || undefined,
    zero_windows: of.zeroWindows || undefined,
    resets: of.resets || undefined,
    acked_bytes: of.ackedBytes || undefined,
    unseen_bytes: of.unseenBytes || undefined,
  });
  return {
    state: tcpStateNames[record.tcpState],
    history: record.history === '' ? undefined : record.history,
    server_rtt_us: record.serverRttUs < 0 ? undefined : record.serverRttUs,
    client_rtt_us: record.clientRttUs < 0 ? undefined : record.clientRttUs,
    one_sided: record.oneSided ? true : undefined,
    source: side(record.source),
    destination: side(record.destination),
  };
}

function all16(names: readonly FlowName[], wanted: NameKind): string[] {
  return names.filter(({ kind }) => kind === wanted).map(({ text }) => text);
}

/** Without members that are undefined, and groups that have none. */
function clean(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value)
    .map(([key, member]) => [key, clean(member)] as const)
    .filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
