import { expect, test } from 'vitest';
import { outer } from '../../../samples/make/mirrored.ts';
import { host, ipv4Packet, udpDatagram } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { Admission, ADMITTED } from '../../../src/receive/admission.ts';
import { decap } from '../../../src/receive/decap.ts';
import { readOuter } from '../../../src/receive/outer.ts';
import { Tally } from '../../../src/receive/tally.ts';
import { parseCidr } from '../../../src/wire/address.ts';
import { Fault } from '../../../src/wire/fault.ts';
import { hex } from '../../support/hex.ts';
import { admitAll, defaultPorts } from '../../support/receiving.ts';

/** The mirrored interface behind a load balancer. */
const resolver = host(3, '10.0.0.2', '2001:db8::2');

const vxlan42 = hex('08 000000 00002a 00 0102');
/** From 10.0.1.10 (the load balancer) the VXLAN packet of 10.0.0.2, VNI 42. */
const gwlb = Buffer.concat([
  hex('00 00 0800 000000 00'),
  ipv4Packet(resolver.ipv4, server.ipv4, udpDatagram(1, 4789, Buffer.from(vxlan42))),
]);

function read(payload: Uint8Array, port: number, version: 4 | 6 = 4): [Buffer, Layers] {
  const bytes = outer({ from: client, to: server, version, port }, 1, payload);
  const layers = new Layers();
  expect(readOuter(bytes, 0, bytes.length, LinkType.ethernet, defaultPorts, layers)).toBe(Fault.none);
  expect(decap(bytes, defaultPorts, layers)).toBe(Fault.none);
  return [bytes, layers];
}

const direct4 = read(vxlan42, 4789);
const direct6 = read(vxlan42, 4789, 6);
const nested = read(gwlb, 6081);

const networks = (...texts: string[]) => texts.map((text) => parseCidr(text)!);

test.each([
  ['nobody is named', [], ADMITTED, ADMITTED],
  ['the address itself', ['10.0.1.10'], ADMITTED, Tally.filteredSource],
  ['its network', ['10.0.0.0/15'], ADMITTED, Tally.filteredSource],
  ['another network', ['10.2.0.0/15'], Tally.filteredSource, Tally.filteredSource],
  ['the second of two', ['192.0.2.0/24', '10.0.1.0/24'], ADMITTED, Tally.filteredSource],
  ['IPv6 only', ['2001:db8:1::/48'], Tally.filteredSource, ADMITTED],
  ['all of IPv4', ['0.0.0.0/0'], ADMITTED, Tally.filteredSource],
  ['everybody, by name', ['0.0.0.0/0', '::/0'], ADMITTED, ADMITTED],
])('outer sources: %s', (_name, texts, over4, over6) => {
  const admission = new Admission({ ...admitAll, sources: networks(...texts) });
  expect(admission.judgeSender(...direct4)).toBe(over4);
  expect(admission.judgeSender(...direct6)).toBe(over6);
  expect(admission.judgeFrame(...direct4)).toBe(ADMITTED);
});

test.each([
  ['nobody is named', [], ADMITTED, ADMITTED, ADMITTED],
  ['the mirrored interface', ['10.0.0.2'], Tally.filteredMirrorSource, Tally.filteredMirrorSource, ADMITTED],
  [
    'the outer source, which behind a load balancer is not it',
    ['10.0.1.10'],
    ADMITTED,
    Tally.filteredMirrorSource,
    Tally.filteredMirrorSource,
  ],
  ['an IPv6 network', ['2001:db8::/32'], Tally.filteredMirrorSource, ADMITTED, Tally.filteredMirrorSource],
])('mirror sources: %s', (_name, texts, over4, over6, behindGwlb) => {
  const admission = new Admission({ ...admitAll, mirrorSources: networks(...texts) });
  expect(admission.judgeFrame(...direct4)).toBe(over4);
  expect(admission.judgeFrame(...direct6)).toBe(over6);
  expect(admission.judgeFrame(...nested)).toBe(behindGwlb);
  expect(admission.judgeSender(...nested)).toBe(ADMITTED);
});

test.each([
  ['no list', [], [0, 1, 42, 0xff_ffff], []],
  ['one', [[42, 42]], [42], [0, 41, 43, 0xff_ffff]],
  [
    'several and ranges',
    [
      [7, 7],
      [100, 199],
      [0xff_fffe, 0xff_ffff],
    ],
    [7, 100, 150, 199, 0xff_fffe, 0xff_ffff],
    [0, 6, 8, 99, 200, 0xff_fffd],
  ],
  [
    'ranges that overlap',
    [
      [0, 9],
      [5, 20],
    ],
    [0, 5, 9, 20],
    [21],
  ],
] as [string, [number, number][], number[], number[]][])('VNIs: %s', (_name, vnis, admitted, refused) => {
  const admission = new Admission({ ...admitAll, vnis });
  const [bytes, layers] = direct4;
  const judged = (vni: number) => admission.judgeFrame(bytes, Object.assign(new Layers(), layers, { vni }));
  for (const vni of admitted) expect(judged(vni)).toBe(ADMITTED);
  for (const vni of refused) expect(judged(vni)).toBe(Tally.filteredVni);
});

test('the mirror source is asked before the VNI', () => {
  const admission = new Admission({ sources: [], mirrorSources: networks('192.0.2.1'), vnis: [[1, 1]] });
  expect(admission.judgeFrame(...direct4)).toBe(Tally.filteredMirrorSource);
});
