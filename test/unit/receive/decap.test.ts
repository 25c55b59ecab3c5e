import { assert, constantFrom, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { outer } from '../../../samples/make/mirrored.ts';
import { ipv4Packet, ipv6Packet, udpDatagram } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Encapsulation, encapsulationNames } from '../../../src/packet/lane.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { decap } from '../../../src/receive/decap.ts';
import { readOuter } from '../../../src/receive/outer.ts';
import { formatAddress } from '../../../src/wire/address.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { Fault, faultNames } from '../../../src/wire/fault.ts';
import { hex } from '../../support/hex.ts';
import { defaultPorts } from '../../support/receiving.ts';
import {
  carried,
  delivered,
  from4,
  from6,
  geneve,
  gwlb,
  gwlbCritical,
  inner,
  noOptions,
  type Outcome,
  vxlan,
} from '../../support/tunnels.ts';
import { nestedRows } from '../../vectors/gateway.ts';

/** Decapsulates the UDP payload of a datagram; lane as `encapsulation vni endpoint link type`. */
function outcome(payload: Uint8Array, port: number, version: 4 | 6 = 4): Outcome {
  const bytes = Buffer.concat([
    outer({ from: client, to: server, version, port }, 1, payload),
    Buffer.alloc(64, 0xa5),
  ]);
  const layers = new Layers();
  expect(readOuter(bytes, 0, bytes.length - 64, LinkType.ethernet, defaultPorts, layers)).toBe(Fault.none);
  const fault = decap(bytes, defaultPorts, layers);
  if (fault !== Fault.none) {
    const refused = [
      layers.faultAt - layers.payloadAt,
      Math.max(0, layers.faultEnd - layers.faultAt),
    ] as const;
    return { fault: faultNames[fault]!, refused };
  }
  const endpoint = [layers.endpointHigh, layers.endpointLow].map((half) =>
    (half >>> 0).toString(16).padStart(8, '0'),
  );
  return {
    fault: 'none',
    lane: [
      encapsulationNames[layers.encapsulation],
      layers.vni,
      layers.hasEndpoint === 1 ? endpoint.join('') : '-',
      layers.linkType === LinkType.ethernet ? 'ethernet' : 'ip',
    ].join(' '),
    frame: bytes.toString('hex', layers.frameAt, layers.frameEnd),
    mirrorSource: formatAddress(bytes, layers.mirrorSourceAt, layers.mirrorSourceVersion),
    reserved: layers.reservedBits,
  };
}

const { ethernet, ipv4, ipv6 } = EtherType;
const ipOnly = ipv4Packet(client.ipv4, server.ipv4, udpDatagram(1, 2, Buffer.from('production')));
const ip6Only = ipv6Packet(client.ipv6, server.ipv6, udpDatagram(1, 2, Buffer.from('production')));

const vxlanRows: [name: string, payload: Uint8Array, expected: Outcome][] = [
  ['a frame', vxlan(inner), delivered('vxlan 42 - ethernet', inner, from4)],
  ['an empty frame', vxlan(new Uint8Array()), delivered('vxlan 42 - ethernet', new Uint8Array(), from4)],
  ['a frame of one byte', vxlan(hex('ff')), delivered('vxlan 42 - ethernet', hex('ff'), from4)],
  ['VNI 0', vxlan(inner, '08 000000 000000 00'), delivered('vxlan 0 - ethernet', inner, from4)],
  [
    'the largest VNI',
    vxlan(inner, '08 000000 ffffff 00'),
    delivered('vxlan 16777215 - ethernet', inner, from4),
  ],
  [
    'reserved bits (group policy)',
    vxlan(inner, '88 080007 00002a 00'),
    delivered('vxlan 42 - ethernet', inner, from4, 1),
  ],
  [
    'a reserved last byte',
    vxlan(inner, '08 000000 00002a 01'),
    delivered('vxlan 42 - ethernet', inner, from4, 1),
  ],
  [
    'no VNI flag',
    vxlan(inner, 'f7 000000 00002a 00'),
    { fault: 'vxlanNoVni', refused: [0, 8 + inner.length] },
  ],
  ['seven bytes', hex('08 000000 00002a'), { fault: 'vxlanTruncated', refused: [0, 7] }],
  ['no bytes', new Uint8Array(), { fault: 'vxlanTruncated', refused: [0, 0] }],
];

const geneveRows: [name: string, payload: Uint8Array, expected: Outcome][] = [
  ['Ethernet', geneve(ethernet, inner), delivered('geneve 77 - ethernet', inner, from4)],
  [
    'Ethernet with an endpoint',
    geneve(ethernet, inner, gwlb),
    delivered('geneve 77 0a1b2c3d4e5f6071 ethernet', inner, from4),
  ],
  ['IPv4', geneve(ipv4, ipOnly, gwlb), delivered('geneve 77 0a1b2c3d4e5f6071 ip', ipOnly, from4)],
  ['IPv6', geneve(ipv6, ip6Only), delivered('geneve 77 - ip', ip6Only, from4)],
  [
    'an empty frame',
    geneve(ethernet, new Uint8Array()),
    delivered('geneve 77 - ethernet', new Uint8Array(), from4),
  ],
  [
    'an empty IPv4 packet',
    geneve(ipv4, new Uint8Array()),
    delivered('geneve 77 - ip', new Uint8Array(), from4),
  ],
  [
    'an empty IPv6 packet',
    geneve(ipv6, new Uint8Array()),
    delivered('geneve 77 - ip', new Uint8Array(), from4),
  ],
  [
    'critical options that are known',
    geneve(ethernet, inner, gwlbCritical, '40'),
    delivered('geneve 77 0a1b2c3d4e5f6071 ethernet', inner, from4),
  ],
  [
    'the flag without a critical option',
    geneve(ethernet, inner, noOptions, '40'),
    delivered('geneve 77 - ethernet', inner, from4),
  ],
  [
    'an option of others',
    geneve(ethernet, inner, '0132 01 01 deadbeef'),
    delivered('geneve 77 - ethernet', inner, from4),
  ],
  [
    'an endpoint of four bytes',
    geneve(ethernet, inner, '0108 01 01 0a1b2c3d'),
    delivered('geneve 77 - ethernet', inner, from4),
  ],
  [
    'an endpoint of twelve bytes',
    geneve(ethernet, inner, `0108 01 03 ${'00'.repeat(12)}`),
    delivered('geneve 77 - ethernet', inner, from4),
  ],
  [
    'an endpoint without bytes, last',
    geneve(ethernet, new Uint8Array(), '0108 01 00'),
    delivered('geneve 77 - ethernet', new Uint8Array(), from4),
  ],
  [
    'reserved flags',
    geneve(ethernet, inner, noOptions, '3f'),
    delivered('geneve 77 - ethernet', inner, from4, 1),
  ],
  [
    'a reserved last byte',
    geneve(ethernet, inner, noOptions, '00', '01'),
    delivered('geneve 77 - ethernet', inner, from4, 1),
  ],
  [
    'reserved bits of an option',
    geneve(ethernet, inner, '0132 01 e0'),
    delivered('geneve 77 - ethernet', inner, from4, 1),
  ],
  [
    'an unknown critical option',
    geneve(ethernet, inner, '0132 81 00'),
    { fault: 'geneveCritical', refused: [0, 12 + inner.length] },
  ],
  [
    'a control packet',
    geneve(ethernet, inner, noOptions, '80'),
    { fault: 'geneveControl', refused: [0, 8 + inner.length] },
  ],
  ['version 1', Buffer.concat([hex('40')]), { fault: 'geneveVersion', refused: [0, 1] }],
  ['seven bytes', geneve(ethernet, inner).subarray(0, 7), { fault: 'geneveTruncated', refused: [0, 7] }],
  [
    'options cut',
    geneve(ethernet, inner, gwlb).subarray(0, 39),
    { fault: 'geneveTruncated', refused: [0, 39] },
  ],
  [
    'an option past the options',
    geneve(ethernet, inner, '0132 01 01'),
    { fault: 'geneveOption', refused: [0, 12 + inner.length] },
  ],
  [
    'a payload of no known kind',
    geneve(0x8847, inner),
    { fault: 'geneveProtocol', refused: [0, 8 + inner.length] },
  ],
];

test.each(vxlanRows)('VXLAN: %s', (_name, payload, expected) => {
  expect(outcome(payload, 4789)).toEqual(expected);
});

test.each(geneveRows)('GENEVE: %s', (_name, payload, expected) => {
  expect(outcome(payload, 6081)).toEqual(expected);
});

test.each(nestedRows)('GENEVE around VXLAN: %s', (_name, payload, expected) => {
  expect(outcome(payload, 6081)).toEqual(expected);
});

test('over IPv6 the mirror source is an IPv6 address', () => {
  expect(outcome(vxlan(inner), 4789, 6)).toEqual(delivered('vxlan 42 - ethernet', inner, from6));
  expect(outcome(geneve(ethernet, inner), 6081, 6)).toEqual(delivered('geneve 77 - ethernet', inner, from6));
});

test('what one packet left behind does not show in the next', () => {
  const layers = new Layers();
  for (const [payload, port, expected] of [
    [geneve(ipv4, carried(4), gwlb, '01'), 6081, Encapsulation.geneveVxlan],
    [vxlan(inner), 4789, Encapsulation.vxlan],
  ] as const) {
    const bytes = outer({ from: client, to: server, version: 4, port }, 1, payload);
    readOuter(bytes, 0, bytes.length, LinkType.ethernet, defaultPorts, layers);
    expect(decap(bytes, defaultPorts, layers)).toBe(Fault.none);
    expect(layers.encapsulation).toBe(expected);
  }
  expect(layers).toMatchObject({
    hasEndpoint: 0,
    endpointHigh: 0,
    endpointLow: 0,
    reservedBits: 0,
    mirrorSourceAt: 26,
  });
});

test('for any payload: a fault, or a frame inside the payload', () => {
  const layers = new Layers();
  assert(
    property(
      constantFrom(4789, 6081),
      uint8Array({ maxLength: 120 }),
      integer({ min: 0, max: 3 }),
      (port, payload, start) => {
        const head = [hex(''), vxlan(inner), geneve(ipv4, carried(4), gwlb), geneve(ipv6, carried(6))][
          start
        ]!;
        const bytes = outer(
          { from: client, to: server, version: 4, port },
          1,
          Buffer.concat([head, payload]),
        );
        for (let cut = 42; cut <= bytes.length; cut++) {
          readOuter(bytes, 0, cut, LinkType.ethernet, defaultPorts, layers);
          if (decap(bytes, defaultPorts, layers) !== Fault.none) continue;
          expect(layers.frameAt).toBeGreaterThanOrEqual(layers.payloadAt + 8);
          expect(layers.frameAt).toBeLessThanOrEqual(layers.frameEnd);
          expect(layers.frameEnd).toBeLessThanOrEqual(cut);
        }
      },
    ),
    { numRuns: 60 },
  );
});
