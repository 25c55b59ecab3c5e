import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { echo, frame, frame4, frame6, opaque, tcpSegment, udpDatagram } from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import type { Report } from '../../src/observe/report.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import { sendPayloads } from '../support/cable.ts';
import { hex } from '../support/hex.ts';
import { ipIn, makeMirror, startTcpdump, untilFrames } from '../support/mirror-interface.ts';
import {
  commandIn,
  requiresDummy,
  requiresNamespaces,
  type TestNetwork,
  withNetwork,
} from '../support/namespaces.ts';
import { requiresNative } from '../support/native.ts';
import { failingReceive, type LoggedLine, prefixedReceive } from '../support/prefixed-receive.ts';
import { requires } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';
import { vxlan } from '../support/tunnels.ts';

const able = [await requiresNative(), requiresNamespaces(), requires('tcpdump')].every(Boolean);

const kinds: readonly ('veth' | 'dummy')[] = able && requiresDummy() ? ['veth', 'dummy'] : ['veth'];

const data = Buffer.from(Array.from({ length: 1400 }, (_, i) => i & 0xff));
const tcp = (bytes: Buffer, sequence = 1) =>
  tcpSegment({
    sourcePort: 50_001,
    destinationPort: 50_003,
    sequence,
    acknowledgement: 9,
    flags: 16,
    data: bytes,
  });
const frames: readonly Buffer[] = [
  frame4(client, server, tcp(data)),
  frame4(client, server, tcp(Buffer.alloc(0))),
  frame4(client, server, udpDatagram(50_001, 50_003, data), { checksum: 'zero' }),
  frame4(client, server, tcp(data), { checksum: 'bad' }),
  frame4(client, server, tcp(data), { checksum: 'partial' }, [100]),
  frame4(client, server, tcp(data), {}, [100, 7]),
  frame4(client, server, echo(IpProtocol.icmp, 8, 1, 2, 8000)),
  frame6(client, server, udpDatagram(1, 2, data)),
  frame4(client, server, opaque(17, data), { flagsAndOffset: 0x2001 }),
  frame(client.mac, server.mac, hex('0001 0800 06 04 0001'), 0x0806),
  frame(client.mac, server.mac, data, 0x88b5),
  // a tunnel inside is nobody's business
  frame4(client, server, udpDatagram(50_000, 4789, vxlan(frame4(server, client, tcp(data))))),
];

interface Injected {
  readonly report: Report;
  readonly lines: readonly LoggedLine[];
}

/** Receives in the receiver's namespace with one sink of kind `inject`, while `work` is done. */
async function injecting(
  network: TestNetwork,
  settings: readonly string[],
  work: () => Promise<void>,
): Promise<Injected> {
  const receive = await prefixedReceive({
    prefix: commandIn(network.receiver, []),
    settings: [
      'http.address=127.0.0.1',
      'workers=1',
      'sinks.tap.kind=inject',
      ...settings.map((text) => `sinks.tap.${text}`),
    ],
  });
  await work();
  return receive.end();
}

function mirror(network: TestNetwork, inner: readonly Uint8Array[], vni = '00002a'): void {
  const payloads = inner.map((one) => vxlan(one, `08 000000 ${vni} 00`));
  sendPayloads(network.sender, network.receiverAddress, 4789, payloads);
}

describe.skipIf(!able)('tcpdump', () => {
  test.each(kinds)('sees exactly the inner frames on a %s', (kind) =>
    withFolder((folder) =>
      withNetwork('veth', async (network) => {
        const { written, read } = makeMirror(network.receiver, kind);
        const file = join(folder, 'seen.pcap');
        const tcpdump = await startTcpdump(network.receiver, read, file);
        const many = Array.from({ length: 2000 }, (_, i) =>
          frame4(client, server, tcp(data.subarray(0, i % 1400), i)),
        );
        const { report, lines } = await injecting(network, [`interface=${written}`], async () => {
          mirror(network, [...frames, ...many]);
          const seen = await untilFrames(file, frames.length + many.length);
          expect(seen).toHaveLength(frames.length + many.length);
          for (const [i, one] of [...frames, ...many].entries())
            expect(seen[i]?.equals(one), `frame ${i}`).toBe(true);
        });
        await tcpdump.stop();
        expect(report.sinks).toMatchObject([
          {
            name: 'tap',
            kind: 'inject',
            written: frames.length + many.length,
            dropped: {},
            pending: 0,
            counters: { padded: 0 },
          },
        ]);
        expect(lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
      }),
    ),
  );

  test('sees cut packets as they would have been with zeros, tagged, each lane on its interface', () =>
    withFolder((folder) =>
      withNetwork('veth', async (network) => {
        const mirrors = ['mirror42', 'mirror43'].map((name) =>
          makeMirror(network.receiver, 'veth', name, 1500),
        );
        const files = mirrors.map(({ read }) => join(folder, `${read}.pcap`));
        const dumps = await Promise.all(
          mirrors.map(({ read }, i) => startTcpdump(network.receiver, read, files[i] ?? '')),
        );
        const whole = frame4(client, server, tcp(data));
        const zeros = frame4(client, server, tcp(Buffer.concat([data.subarray(0, 10), Buffer.alloc(1390)])));
        const settings = ['interface=mirror{vni}', 'vlans=[{vni: 43, id: 7}]'];
        const { report } = await injecting(network, settings, async () => {
          mirror(network, [whole.subarray(0, 64), whole, whole.subarray(0, 40)]);
          mirror(
            network,
            [whole.subarray(0, 64), frame4(client, server, tcp(Buffer.alloc(3000, 1)))],
            '00002b',
          );
          mirror(network, [whole], '00002c');
          expect(await untilFrames(files[0] ?? '', 2)).toEqual([zeros, whole]);
          const tagged = await untilFrames(files[1] ?? '', 2);
          expect(tagged[0]).toEqual(
            Buffer.concat([zeros.subarray(0, 12), hex('8100 0007'), zeros.subarray(12)]),
          );
          expect(tagged[1]).toHaveLength(1500 + 14 + 4);
          expect(tagged[1]?.subarray(16)).toEqual(
            frame4(client, server, tcp(Buffer.alloc(1460, 1))).subarray(12),
          );
        });
        await Promise.all(dumps.map((dump) => dump.stop()));
        expect(report.sinks[0]).toMatchObject({
          written: 4,
          dropped: { cutHeader: 1, interfaceGone: 1 },
          counters: { padded: 2, shortened: 1, passed: 0 },
        });
      }),
    ));
});

describe.skipIf(!able)('an interface', () => {
  test('that goes down, goes away and comes back costs its packets and nothing else', () =>
    withFolder((folder) =>
      withNetwork('veth', async (network) => {
        const { receiver } = network;
        const { written, read } = makeMirror(receiver, 'veth');
        const whole = frame4(client, server, tcp(data));
        const [before, after] = [join(folder, 'before.pcap'), join(folder, 'after.pcap')];
        const first = await startTcpdump(receiver, read, before);
        const receive = await prefixedReceive({
          prefix: commandIn(receiver, []),
          settings: [
            'http.address=127.0.0.1',
            'workers=1',
            'sinks.tap.kind=inject',
            `sinks.tap.interface=${written}`,
            'sinks.captures.kind=files',
            `sinks.captures.directory=${folder}`,
          ],
        });
        mirror(network, [whole]);
        await untilFrames(before, 1);
        ipIn(receiver, `link set ${written} down`);
        mirror(network, [whole]);
        await first.stop();
        ipIn(receiver, `link del ${written}`);
        mirror(network, [whole]);
        await expect
          .poll(() => receive.logged().some(({ msg }) => /cannot be written to/.test(msg)), {
            timeout: 20_000,
          })
          .toBe(true);
        makeMirror(receiver, 'veth');
        const second = await startTcpdump(receiver, read, after);
        await expect
          .poll(() => receive.logged().some(({ msg }) => /written to the interface again/.test(msg)), {
            timeout: 20_000,
          })
          .toBe(true);
        mirror(network, [whole]);
        expect(await untilFrames(after, 1)).toEqual([whole]);
        await second.stop();
        const { report } = await receive.end();
        const [tap, captures] = report.sinks;
        expect(tap).toMatchObject({ written: 2, dropped: { interfaceGone: 2 }, pending: 0 });
        expect([captures?.written, captures?.dropped]).toEqual([4, {}]);
      }),
    ));

  test.each([
    ['is not there', 'nowhere', 'INTERFACE_UNKNOWN'],
    ['is down', 'mirror0', 'INTERFACE_DOWN'],
    ['takes no Ethernet', 'lo', 'INTERFACE_UNFIT'],
  ])('that %s: receive does not start, and says so', (_name, name, code) =>
    withNetwork('veth', async (network) => {
      makeMirror(network.receiver, 'veth');
      ipIn(network.receiver, 'link set mirror0 down');
      const { status, stderr } = await failingReceive({
        prefix: commandIn(network.receiver, []),
        settings: ['http.address=127.0.0.1', 'sinks.tap.kind=inject', `sinks.tap.interface=${name}`],
      });
      expect(status).toBe(1);
      expect(stderr).toContain(code);
    }),
  );
});
