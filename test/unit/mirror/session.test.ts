import { expect, test } from 'vitest';
import { makeSession, WHOLE_FRAME, type MirrorTarget } from '../../../src/mirror/session.ts';

const ipv4 = Uint8Array.of(10, 0, 0, 1);
const ipv6 = new Uint8Array(16);

function target(address: Uint8Array): MirrorTarget {
  return { type: 'network-interface', address, endpointHigh: 0, endpointLow: 0 };
}

test.each([
  { vni: 0, packetLength: WHOLE_FRAME },
  { vni: 0xff_ffff, packetLength: 1 },
  { vni: 42, packetLength: 8500 },
])('VNI $vni with packet length $packetLength is a session', ({ vni, packetLength }) => {
  const session = makeSession({ address: ipv4 }, target(ipv4), vni, packetLength);
  expect(session).toMatchObject({ vni, packetLength });
});

test.each([
  { name: 'VNI of 25 bits', vni: 0x100_0000, packetLength: 1 },
  { name: 'negative VNI', vni: -1, packetLength: 1 },
  { name: 'VNI between two numbers', vni: 1.5, packetLength: 1 },
  { name: 'packet length above that of the EC2 API', vni: 1, packetLength: 8501 },
  { name: 'negative packet length', vni: 1, packetLength: -1 },
])('refused: $name', ({ vni, packetLength }) => {
  expect(() => makeSession({ address: ipv4 }, target(ipv4), vni, packetLength)).toThrow(RangeError);
});

test.each([
  { name: 'two families', source: ipv4, destination: ipv6 },
  { name: 'addresses of no family', source: new Uint8Array(5), destination: new Uint8Array(5) },
])('refused: $name', ({ source, destination }) => {
  expect(() => makeSession({ address: source }, target(destination), 1, WHOLE_FRAME)).toThrow(RangeError);
});
