import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detectFormat, makeDecoder } from '../../src/format/detect.ts';
import type { Report } from '../../src/observe/report.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
import { Layers } from '../../src/packet/layers.ts';
import { readOuter, tunnelPorts } from '../../src/receive/outer.ts';
import { Fault } from '../../src/wire/fault.ts';
import { freeUdpPort } from '../support/appliance.ts';
import { sendPayloads } from '../support/cable.ts';
import {
  commandIn,
  type NetworkKind,
  requiresNamespaces,
  requiresVlan,
  type TestNetwork,
  withNetwork,
} from '../support/namespaces.ts';
import { requiresNative } from '../support/native.ts';
import { failingReceive, prefixedReceive } from '../support/prefixed-receive.ts';
import { requires, requiresRoot } from '../support/requires.ts';
import { senderOn, sendTo } from '../support/socket-traffic.ts';
import { withFolder } from '../support/tshark.ts';
import { vxlan } from '../support/tunnels.ts';

const native = await requiresNative();
const namespaces = requiresNamespaces();
const program = join(import.meta.dirname, '../../src/main.ts');
const samples = join(import.meta.dirname, '../../samples');

/** The mirror path of `mirrortap send`, which runs where the sender is. */
async function send(network: TestNetwork, ...options: readonly string[]): Promise<void> {
  const [command = '', ...args] = commandIn(network.sender, [
    process.execPath,
    program,
    'send',
    '--to',
    network.receiverAddress,
    '--rate',
    '2000',
    ...options,
  ]);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (part: Buffer) => (log += part.toString()));
  const [status]: (number | null)[] = await once(child, 'close');
  expect(status, log).toBe(0);
}

/** Datagrams of a capture that were sent to a port: what is wrong with them is inside. */
function payloadsTo(port: number, file: string): Buffer[] {
  const bytes = readFileSync(join(samples, file));
  const format = detectFormat(bytes, 0, bytes.length);
  const decoder = makeDecoder(format!);
  const batch = new PacketBatch(4096, bytes);
  decoder.decode(batch, 0, bytes.length);
  const layers = new Layers();
  const ports = tunnelPorts([4789], [6081]);
  return Array.from({ length: batch.count }, (_, slot) => {
    const [at, end] = [batch.at[slot]!, batch.end[slot]!];
    const fault = readOuter(batch.bytes, at, end, batch.linkType[slot]!, ports, layers);
    const isMeant = fault === Fault.none && layers.snapped === 0 && layers.destinationPort === port;
    return isMeant ? [Buffer.from(batch.bytes.subarray(layers.payloadAt, layers.payloadEnd))] : [];
  }).flat();
}

/** Everything of the report but times and files. */
function comparable(report: Report): object {
  const left = new Set(['first', 'last', 'files', 'fileCount']);
  const lanes = report.lanes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((lane) => Object.fromEntries(Object.entries(lane).filter(([name]) => !left.has(name))));
  return { ...report, lanes };
}

/** What does not follow from packets that belong together. */
function withoutFlows(report: Report): object {
  const { flows: _flows, fragments: _fragments, ...rest } = report;
  const lanes = report.lanes.map(({ upstream: _upstream, ...lane }) => lane);
  return comparable({ ...rest, lanes } as unknown as Report);
}

async function receiveAll(network: TestNetwork, mode: string, directory: string): Promise<Report> {
  const receive = await prefixedReceive({
    prefix: commandIn(network.receiver, []),
    settings: [
      `listen.mode=${mode}`,
      'listen.address=::',
      'workers=2',
      'http.address=127.0.0.1',
      'sinks.captures.kind=files',
      `sinks.captures.directory=${directory}`,
    ],
  });
  expect(receive.receiving).toMatchObject({
    mode,
    steering: mode === 'dgram' ? expect.anything() : 'inner addresses',
  });
  await send(network, '--from', join(samples, 'traffic.pcapng'), '--vni', '42');
  await send(network, '--from', join(samples, 'traffic.pcapng'), '--vni', '43', '--packet-length', '100');
  await send(network, '--from', join(samples, 'hostile.pcap'), '--vni', '44');
  await send(network, '--from', join(samples, 'gwlb.pcap'), '--vni', '45', '--gwlb');
  for (const file of ['gwlb.pcap', 'hostile.pcap', 'vxlan-sessions.pcapng', 'truncated.pcapng']) {
    for (const port of [4789, 6081]) {
      const payloads = payloadsTo(port, file);
      sendPayloads(network.sender, network.receiverAddress, port, payloads);
      sendPayloads(network.sender, network.receiverAddress6, port, payloads);
    }
  }
  const { report } = await receive.end();
  return report;
}

const kinds: { kind: NetworkKind; possible: boolean }[] = [
  { kind: 'veth', possible: namespaces },
  { kind: 'bridge', possible: namespaces },
  { kind: 'vlan', possible: requiresVlan() },
];

describe.skipIf(!native).each(kinds)('over $kind', ({ kind, possible }) => {
  test.skipIf(!possible)(
    'ring, mmsg and dgram give the same ledger for the same traffic',
    () =>
      withFolder((folder) =>
        withNetwork(kind, async (network) => {
          const [ring, mmsg, dgram] = [
            await receiveAll(network, 'ring', join(folder, 'ring')),
            await receiveAll(network, 'mmsg', join(folder, 'mmsg')),
            await receiveAll(network, 'dgram', join(folder, 'dgram')),
          ];
          expect(ring.ledger.delivered).toBeGreaterThan(500);
          expect(Object.keys(ring.ledger.fault).length).toBeGreaterThan(3);
          expect(ring.ledger.dropped).toEqual({ kernel: 0, worker: 0 });
          expect(ring.lanes.length).toBeGreaterThan(5);
          expect(comparable(mmsg)).toEqual(comparable(ring));
          // its sockets are not steered: the two directions of a connection may come to two workers
          expect(withoutFlows(dgram)).toEqual(withoutFlows(ring));
        }),
      ),
    300_000,
  );
});

/** As root, but never with the right to open packet sockets. */
const withoutNetRaw = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'];
const withoutKoffi = {
  NODE_OPTIONS: `--import=${join(import.meta.dirname, '../support/programs/without-koffi.ts')}`,
};

async function settingsOf(mode: string, directory: string): Promise<{ settings: string[]; port: number }> {
  const [port, genevePort] = [await freeUdpPort(), await freeUdpPort()];
  const settings = [
    `listen.mode=${mode}`,
    'listen.address=127.0.0.1',
    `listen.vxlanPorts=[${port}]`,
    `listen.genevePorts=[${genevePort}]`,
    'workers=1',
    'http.address=127.0.0.1',
    'http.port=0',
    'sinks.captures.kind=files',
    `sinks.captures.directory=${directory}`,
  ];
  return { settings, port };
}

const choices = [
  {
    name: 'as root, the ring',
    possible: requiresRoot(),
    options: {},
    line: { mode: 'ring', why: 'it costs least' },
  },
  {
    name: 'without CAP_NET_RAW, recvmmsg',
    possible: requiresRoot() && requires('setpriv'),
    options: { prefix: withoutNetRaw },
    line: {
      mode: 'mmsg',
      why: 'it costs least of those that can be had',
      not_ring: expect.stringMatching(/EPERM.*CAP_NET_RAW.*setcap/) as string,
    },
  },
  {
    name: 'without koffi, sockets of Node',
    possible: true,
    options: { environment: withoutKoffi },
    line: {
      mode: 'dgram',
      why: 'it costs least of those that can be had',
      not_ring: expect.stringContaining("Cannot find package 'koffi'") as string,
      not_mmsg: expect.stringContaining("Cannot find package 'koffi'") as string,
    },
  },
];

describe.skipIf(!native)('listen.mode: auto', () => {
  test.each(choices.filter(({ possible }) => possible))(
    'takes $name, says so, and receives',
    ({ options, line }) =>
      withFolder(async (folder) => {
        const { settings, port } = await settingsOf('auto', join(folder, 'captures'));
        const receive = await prefixedReceive({ ...options, settings });
        expect(receive.receiving).toMatchObject({ level: 'info', ...line });
        const refusals = Object.keys(receive.receiving).filter((name) => name.startsWith('not_'));
        expect(refusals).toEqual(Object.keys(line).filter((name) => name.startsWith('not_')));
        const sender = await senderOn('127.0.0.1');
        await sendTo(sender, vxlan(Buffer.alloc(60)), port, '127.0.0.1');
        sender.close();
        const { report } = await receive.end();
        expect(report.ledger).toMatchObject({ received: 1, delivered: 1, dropped: { kernel: 0, worker: 0 } });
      }),
    120_000,
  );

  const refusals = [
    {
      mode: 'ring',
      name: 'without CAP_NET_RAW',
      possible: requiresRoot() && requires('setpriv'),
      options: { prefix: withoutNetRaw },
      says: /CAP_NET_RAW.*setcap[^]*\[SYSTEM_CALL_FAILED\]/,
    },
    {
      mode: 'ring',
      name: 'without koffi',
      possible: true,
      options: { environment: withoutKoffi },
      says: /koffi[^]*\[NATIVE_UNAVAILABLE\]/,
    },
    {
      mode: 'mmsg',
      name: 'without koffi',
      possible: true,
      options: { environment: withoutKoffi },
      says: /koffi[^]*\[NATIVE_UNAVAILABLE\]/,
    },
  ];
  test.each(refusals.filter(({ possible }) => possible))(
    'a mode that was asked for is not replaced: $mode $name',
    ({ mode, options, says }) =>
      withFolder(async (folder) => {
        const { settings } = await settingsOf(mode, join(folder, 'captures'));
        const { status, stderr } = await failingReceive({ ...options, settings });
        expect(status).toBe(1);
        expect(stderr).toMatch(says);
      }),
    120_000,
  );
});
