import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';
import { type FlowLine, flowLines } from '../support/flow-lines.ts';
import { requires, requiresCaptures } from '../support/requires.ts';
import { tsharkFields, withFolder } from '../support/tshark.ts';

/**
 * Flow records against tshark, which reads the decapsulated files of the same run: conversations with packets, bytes,
 * retransmissions and handshake time, and the names that were seen.
 *
 * tshark's stream of a closed connection goes on with the next one of the same ports, where we begin a new flow; it has one
 * for each capture file, we one for each mirror source. So both are summed by lane and conversation.
 */

interface Conversation {
  packets: number;
  bytes: number;
  retransmissions: number;
  readonly names: Set<string>;
  /** Microseconds; undefined where the handshake was not seen. */
  handshakeUs: number | undefined;
}

const FIELDS = [
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'ip.len',
  'ipv6.plen',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'tcp.analysis.retransmission',
  'tcp.analysis.fast_retransmission',
  'tcp.analysis.spurious_retransmission',
  'tcp.analysis.initial_rtt',
  'dns.qry.name',
  'tls.handshake.extensions_server_name',
  'http.host',
  'icmp.type',
  'icmpv6.type',
] as const;
const IPV6_HEADER = 40;

function conversationOf(all: Map<string, Conversation>, name: string): Conversation {
  const known = all.get(name);
  if (known !== undefined) return known;
  const made = { packets: 0, bytes: 0, retransmissions: 0, names: new Set<string>(), handshakeUs: undefined };
  all.set(name, made);
  return made;
}

function key(lane: string, transport: string, ...ends: readonly string[]): string {
  return [lane, transport, ...ends.toSorted()].join(' ');
}

function seenByTshark(folder: string): Map<string, Conversation> {
  const all = new Map<string, Conversation>();
  for (const file of readdirSync(folder)) {
    for (const row of tsharkFields(join(folder, file), FIELDS)) {
      const field = Object.fromEntries(
        FIELDS.map((name, index) => [name, (row[index] ?? '').split(',').at(-1) ?? '']),
      );
      const transport = field['tcp.srcport'] === '' ? 'udp' : 'tcp';
      const isError = field['icmp.type'] !== '' || field['icmpv6.type'] !== '';
      if (isError || (transport === 'udp' && field['udp.srcport'] === '')) continue;
      const ipv4 = field['ip.src'] !== '';
      const source = `${ipv4 ? field['ip.src'] : field['ipv6.src']} ${field[`${transport}.srcport`]}`;
      const destination = `${ipv4 ? field['ip.dst'] : field['ipv6.dst']} ${field[`${transport}.dstport`]}`;
      const one = conversationOf(all, key(file.replace('.pcapng', ''), transport, source, destination));
      one.packets++;
      one.bytes += ipv4 ? Number(field['ip.len']) : IPV6_HEADER + Number(field['ipv6.plen']);
      const repeats = ['retransmission', 'fast_retransmission', 'spurious_retransmission'];
      if (repeats.some((which) => field[`tcp.analysis.${which}`] !== '')) one.retransmissions++;
      const rtt = field['tcp.analysis.initial_rtt'];
      if (rtt !== undefined && rtt !== '') one.handshakeUs ??= Math.round(Number(rtt) * 1e6);
      for (const name of ['dns.qry.name', 'tls.handshake.extensions_server_name', 'http.host']) {
        if (field[name] !== undefined && field[name] !== '') one.names.add(field[name]);
      }
    }
  }
  return all;
}

interface TcpMembers {
  readonly server_rtt_us?: number;
  readonly client_rtt_us?: number;
  readonly source?: { readonly retransmissions?: number };
  readonly destination?: { readonly retransmissions?: number };
}

interface Named {
  readonly dns?: { readonly question?: { readonly name?: string } };
  readonly tls?: { readonly client?: { readonly server_name?: string } };
  readonly url?: { readonly domain?: string };
}

function seenByUs(flows: readonly FlowLine[]): Map<string, Conversation> {
  const all = new Map<string, Conversation>();
  for (const flow of flows) {
    const { source, destination, network, mirrortap } = flow;
    if (!['tcp', 'udp'].includes(network.transport)) continue;
    const ends = [source, destination].map(({ ip, port }) => `${ip} ${port}`);
    const one = conversationOf(all, key(mirrortap.lane, network.transport, ...ends));
    const tcp = mirrortap['tcp'] as TcpMembers | undefined;
    one.packets += network.packets;
    one.bytes += network.bytes;
    one.retransmissions += (tcp?.source?.retransmissions ?? 0) + (tcp?.destination?.retransmissions ?? 0);
    if (tcp?.server_rtt_us !== undefined && tcp.client_rtt_us !== undefined) {
      one.handshakeUs ??= tcp.server_rtt_us + tcp.client_rtt_us;
    }
    const { dns, tls, url } = flow as Named;
    for (const name of [dns?.question?.name, tls?.client?.server_name, url?.domain]) {
      if (name !== undefined) one.names.add(name);
    }
  }
  return all;
}

const samples = join(import.meta.dirname, '../../samples');
const real = requiresCaptures();
const captures = [
  join(samples, 'vxlan-sessions.pcapng'),
  join(samples, 'gwlb.pcap'),
  ...(real === undefined
    ? []
    : ['aws-mirror-2019.pcap', 'zeek-vxlan-encapsulated-http.pcap'].map((name) => join(real, name))),
];

test.skipIf(!requires('tshark')).each(captures)('%s: conversations are those of tshark', (capture) =>
  withFolder(async (folder) => {
    const flows = join(folder, 'flows.ndjson');
    const lanes = join(folder, 'lanes');
    const { status, stderr } = await runCommand(['decap', capture, '--out', lanes, '--flows', flows]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const ours = seenByUs(flowLines(readFileSync(flows, 'utf8')));
    const theirs = seenByTshark(lanes);
    expect(ours.size).toBeGreaterThan(0);
    expect([...ours.keys()].toSorted()).toEqual([...theirs.keys()].toSorted());
    for (const [name, conversation] of theirs) {
      const { handshakeUs, ...found } = ours.get(name)!;
      const { handshakeUs: wantUs, ...want } = conversation;
      expect({ name, ...found }).toEqual({ name, ...want });
      expect(handshakeUs === undefined).toBe(wantUs === undefined);
      // two differences of time stamps, each rounded to a microsecond
      if (wantUs !== undefined) expect(Math.abs((handshakeUs ?? 0) - wantUs)).toBeLessThanOrEqual(2);
    }
  }),
);
