import { expect, test } from 'vitest';
import { outer } from '../../../../samples/make/mirrored.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { explainPacket } from '../../../../src/receive/explain/explain.ts';
import { explanationText } from '../../../../src/receive/explain/explain-text.ts';
import { defaultPorts } from '../../../support/receiving.ts';
import { inner, vxlan } from '../../../support/tunnels.ts';

function text(payload: Uint8Array, port: number, keep?: number): string {
  const bytes = outer({ from: client, to: server, version: 4, port }, 50_000, payload);
  const end = keep ?? bytes.length;
  return explanationText(explainPacket(bytes, 0, end, bytes.length, LinkType.ethernet, defaultPorts), 17);
}

const outerText = (length: number): string => `  Ethernet: byte 0, 14 bytes
      destination       02:00:00:00:00:02
      source            02:00:00:00:00:01
      type              0x0800 (ipv4)
  IPv4: byte 14, 20 bytes
      source            10.0.1.10
      destination       10.0.2.20
      protocol          17 (udp)
      header length     20
      total length      ${length - 14}`;

test('a delivered packet', () => {
  const lines = text(vxlan(inner), 4789);
  expect(lines.startsWith(`Packet 17: 100 bytes captured\n${outerText(100)}\n`)).toBe(true);
  expect(lines).toContain(`
  VXLAN: byte 42, 8 bytes
      flags             0x08
      VNI               42
`);
  expect(
    lines.endsWith(`
  Data: byte 92, 8 bytes
  Delivered: lane vni-42 (vxlan, VNI 42), mirrored by 10.0.1.10
      frame: byte 50, 50 bytes
      checksums: IPv4 header valid, transport valid

`),
  ).toBe(true);
});

test('a packet that the mirror cut', () => {
  expect(text(vxlan(inner.subarray(0, 36)), 4789)).toContain(`
      frame: byte 50, 36 bytes, 50 before it was cut
      checksums: IPv4 header valid, transport unverifiable
`);
  expect(text(vxlan(inner.subarray(0, 1)), 4789)).toContain(
    '      frame: byte 50, 1 byte, cut inside its headers\n      checksums: none to judge\n',
  );
});

test('a packet that the capture cut', () => {
  const lines = text(vxlan(inner), 4789, 90);
  expect(lines).toMatch(/^Packet 17: 90 of 100 bytes captured\n/);
  expect(lines).toContain('[its length says 10 bytes more than arrived]');
  expect(lines).toContain('frame: byte 50, 40 bytes, 50 before it was cut; the capture cut the packet\n');
});

test('a refused packet tells layer, offset, needed and present bytes', () => {
  expect(text(vxlan(inner).subarray(0, 5), 4789)).toMatch(
    /\n {2}VXLAN: byte 42, 5 bytes \[cut: 8 bytes needed, 5 present\]\n {2}Refused: vxlanTruncated, in VXLAN at byte 42: 8 bytes needed, 5 present\. The datagram ends inside its VXLAN header\.\n\n$/,
  );
});

test('a packet for somebody else', () => {
  expect(text(Buffer.from('q'), 53)).toMatch(
    /\n {2}Not a tunnel packet: UDP port 53 is no tunnel port\.\n\n$/,
  );
});
