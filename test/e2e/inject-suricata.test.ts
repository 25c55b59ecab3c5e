import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sendPayloads } from '../support/cable.ts';
import { cutCapture } from '../support/cut-capture.ts';
import { makeMirror, startReader } from '../support/mirror-interface.ts';
import { commandIn, requiresNamespaces, type TestNetwork, withNetwork } from '../support/namespaces.ts';
import { requiresNative } from '../support/native.ts';
import { prefixedReceive } from '../support/prefixed-receive.ts';
import { requires, requiresCaptures } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

/** Real mirrored traffic, cut as a session with a small packet length cuts it: what Suricata makes of it. */

const captures = requiresCaptures();
const able = [await requiresNative(), requiresNamespaces(), requires('suricata')].every(Boolean);

const INTERFACE = 'mirror0';
/** Ethernet, IPv4 and UDP around the tunnel. */
const OUTER_LEN = 42;

/** Reads the interface on one thread and verifies checksums; flow records, nothing else. */
const suricataSettings = (interfaceName: string): string => `%YAML 1.1
---
stats: { enabled: no }
outputs:
  - eve-log: { enabled: yes, filetype: regular, filename: eve.json, types: [flow] }
logging:
  default-log-level: notice
  outputs: [console: { enabled: yes }]
af-packet:
  - interface: ${interfaceName}
    threads: 1
    cluster-id: 99
    cluster-type: cluster_flow
    checksum-checks: yes
    use-mmap: yes
    tpacket-v3: yes
`;

/** What Suricata says of one flow. */
interface Flow {
  readonly counts: string;
  /** Of TCP, with the flags that it has seen. */
  readonly state: string;
}

/** Flows by addresses and ports. */
type Flows = Readonly<Record<string, Flow>>;

interface EveRecord {
  readonly event_type: string;
  readonly proto: string;
  readonly src_ip: string;
  readonly src_port?: number;
  readonly dest_ip: string;
  readonly dest_port?: number;
  readonly flow: Readonly<
    Record<'pkts_toserver' | 'pkts_toclient' | 'bytes_toserver' | 'bytes_toclient', number>
  > & {
    readonly state: string;
  };
  readonly tcp?: { readonly tcp_flags: string; readonly state?: string };
}

/** UDP payloads of a little-endian pcap of VXLAN over plain IPv4. */
function payloadsOf(capture: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 24; at < capture.length; ) {
    const end = at + 16 + capture.readUInt32LE(at + 8);
    payloads.push(capture.subarray(at + 16 + OUTER_LEN, end));
    at = end;
  }
  return payloads;
}

/** Runs Suricata behind a sink of kind `inject` while the capture comes in. */
async function throughSuricata(
  network: TestNetwork,
  folder: string,
  capture: Buffer,
  cut: string,
): Promise<Flows> {
  await mkdir(folder);
  const { written, read } = makeMirror(network.receiver, 'veth', INTERFACE);
  writeFileSync(join(folder, 'suricata.yaml'), suricataSettings(read));
  const options = [
    '-c',
    join(folder, 'suricata.yaml'),
    '-S',
    '/dev/null',
    '-l',
    folder,
    '--af-packet',
    '-k',
    'all',
  ];
  const suricata = await startReader(network.receiver, ['suricata', ...options], /engine started/i);
  const receive = await prefixedReceive({
    prefix: commandIn(network.receiver, []),
    settings: [
      'http.address=127.0.0.1',
      'workers=1',
      'sinks.tap.kind=inject',
      `sinks.tap.interface=${written}`,
      `sinks.tap.cut=${cut}`,
    ],
  });
  sendPayloads(network.sender, network.receiverAddress, 4789, payloadsOf(capture));
  await receive.end();
  // what was written is in its ring by now, and its reader looks there many times a second
  await sleep(1000);
  await suricata.stop();
  return flowsOf(join(folder, 'eve.json'));
}

function flowsOf(path: string): Flows {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const flows: Record<string, Flow> = {};
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const one = JSON.parse(line) as EveRecord;
    const {
      pkts_toserver: packets,
      pkts_toclient: back,
      bytes_toserver: bytes,
      bytes_toclient: backBytes,
    } = one.flow;
    const name = [one.proto, one.src_ip, one.src_port, one.dest_ip, one.dest_port].join(' ');
    const counts = `${packets} packets ${bytes} bytes, back ${back} packets ${backBytes} bytes`;
    expect(flows, 'a flow is told once').not.toHaveProperty([name]);
    flows[name] = { counts, state: `${one.flow.state} ${one.tcp?.state ?? ''} ${one.tcp?.tcp_flags ?? ''}` };
  }
  return flows;
}

const counted = (flows: Flows): Record<string, string> =>
  Object.fromEntries(Object.entries(flows).map(([name, { counts }]) => [name, counts]));

test.skipIf(!able || captures === undefined)(
  'of the real capture, cut, Suricata makes the same flows as of the uncut one; without our help it makes none',
  () =>
    withFolder(async (folder) => {
      const capture = readFileSync(join(captures ?? '', 'aws-mirror-2019.pcap'));
      const run = async (packetLength: number, cut: string): Promise<Flows> => {
        const work = join(folder, `${packetLength}-${cut}`);
        const runs: Flows[] = [];
        await withNetwork('veth', async (network) => {
          runs.push(await throughSuricata(network, work, cutCapture(capture, packetLength), cut));
        });
        return runs[0] ?? {};
      };
      const whole = await run(9000, 'pad');
      expect(Object.keys(whole).length).toBeGreaterThan(10);
      expect(counted(await run(64, 'pad'))).toEqual(counted(whole));
      // here the options of the first packets are whole, the window scale among them
      expect(await run(128, 'pad')).toEqual(whole);
      const asTheyCame = Object.keys(await run(64, 'pass'));
      expect(asTheyCame.filter((name) => name.startsWith('TCP'))).toEqual([]);
    }),
);
