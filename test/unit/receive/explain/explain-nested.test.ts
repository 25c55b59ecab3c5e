import { expect, test } from 'vitest';
import { mirrored, vxlanTunnel } from '../../../../samples/make/mirrored.ts';
import { frame, frame4, tcpSegment } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { type Explanation, explainPacket } from '../../../../src/receive/explain/explain.ts';
import { PacketBatch } from '../../../../src/packet/batch.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { ethernetIn, far, framed, ipIn, near, tunnels } from '../../../support/nesting.ts';
import { HostileTraffic } from '../../../support/hostile-traffic.ts';
import { defaultPorts } from '../../../support/receiving.ts';
import { Seeded } from '../../../support/seeded.ts';

const tunnel = vxlanTunnel(near, far, 42);
const inside = frame4(
  client,
  server,
  tcpSegment({
    sourcePort: 1,
    destinationPort: 2,
    sequence: 1,
    acknowledgement: 1,
    flags: 16,
    data: Buffer.alloc(9),
  }),
  {},
  [5],
);
const plain = frame4(
  client,
  server,
  tcpSegment({ sourcePort: 1, destinationPort: 2, sequence: 1, acknowledgement: 1, flags: 16 }),
);

function explain(mirroredFrame: Buffer): Explanation {
  const bytes = mirrored(tunnel, mirroredFrame);
  return explainPacket(bytes, 0, bytes.length, bytes.length, LinkType.ethernet, defaultPorts);
}

/** Names of the layers behind the mirrored frame's own Ethernet header. */
function names(mirroredFrame: Buffer): string {
  const { layers } = explain(mirroredFrame);
  expect(layers.slice(0, 5).map(({ name }) => name)).toEqual([
    'Ethernet',
    'IPv4',
    'UDP',
    'VXLAN',
    'Ethernet',
  ]);
  return layers
    .slice(5)
    .map(({ name }) => name)
    .join(' ');
}

test.each([
  ['VXLAN', framed(tunnels.vxlan(ethernetIn(inside))), 'IPv4 UDP VXLAN Ethernet VLAN IPv4 TCP Data'],
  [
    'GENEVE with an option',
    framed(tunnels.geneveCritical(ethernetIn(plain))),
    'IPv4 UDP GENEVE GENEVE option Ethernet IPv4 TCP',
  ],
  ['GRE', framed(tunnels.gre(ipIn(plain))), 'IPv4 GRE IPv4 TCP'],
  [
    'IP in IP in VXLAN',
    framed(tunnels.vxlan(ethernetIn(framed(tunnels.ipv4(ipIn(plain)))))),
    'IPv4 UDP VXLAN Ethernet IPv4 IPv4 TCP',
  ],
  [
    'as deep as flows go',
    framed(tunnels.ipv4(tunnels.ipv4(tunnels.ipv4(tunnels.ipv4(tunnels.ipv4(ipIn(plain))))))),
    'IPv4 IPv4 IPv4 IPv4 IPv4 Data',
  ],
  [
    'a tunnel around no IP stays data',
    framed(tunnels.vxlan(ethernetIn(frame(client.mac, server.mac, Buffer.alloc(28), EtherType.arp)))),
    'IPv4 UDP Data',
  ],
  ['no tunnel', plain, 'IPv4 TCP'],
])('%s', (_name, bytes, expected) => {
  expect(names(bytes)).toBe(expected);
});

test('the key of GRE is shown, and where its header lies', () => {
  const { layers } = explain(framed(tunnels.gre(ipIn(plain))));
  const gre = layers.find(({ name }) => name === 'GRE');
  expect(gre).toEqual({
    name: 'GRE',
    at: 50 + 14 + 20,
    length: 8,
    fields: [
      ['protocol', '0x0800 (ipv4)'],
      ['key', String(0xfedcba98)],
    ],
  });
  const plainGre = explain(framed(tunnels.grePlain(ipIn(plain)))).layers.find(({ name }) => name === 'GRE');
  expect(plainGre?.fields.map(([name]) => name)).toEqual(['protocol']);
});

test('hostile packets are explained too, within their bytes', () => {
  const traffic = new HostileTraffic(new Seeded(1), false);
  const batch = new PacketBatch(256, Buffer.alloc(1024 * 1024));
  const seen = new Set<string>();
  for (let round = 0; round < 12; round++) {
    traffic.writeTo(batch);
    for (let slot = 0; slot < batch.count; slot++) {
      const [at, end] = [batch.at[slot]!, batch.end[slot]!];
      const { layers } = explainPacket(batch.bytes, at, end, end - at, LinkType.ethernet, defaultPorts);
      for (const { name, at: layerAt, length } of layers) {
        seen.add(name);
        if (length > 0) expect(layerAt + length).toBeLessThanOrEqual(end - at);
      }
    }
  }
  for (const name of ['GRE', 'GENEVE', 'VLAN', 'IPv6', 'IPv6 extension'])
    expect([...seen].join()).toContain(name);
});
