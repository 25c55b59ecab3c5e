import { expect, test } from 'vitest';
import { WHOLE_FRAME } from '../../../src/mirror/session.ts';
import { keptLen } from '../../../src/mirror/truncate.ts';

// EC2 API, CreateTrafficMirrorSession, PacketLength: bytes after the VXLAN header.
test.each([
  { frameLen: 1514, packetLength: 100, kept: 100 },
  { frameLen: 100, packetLength: 100, kept: 100 },
  { frameLen: 99, packetLength: 100, kept: 99 },
  { frameLen: 1514, packetLength: 1, kept: 1 },
  { frameLen: 0, packetLength: 1, kept: 0 },
  { frameLen: 9015, packetLength: 8500, kept: 8500 },
  { frameLen: 65_000, packetLength: WHOLE_FRAME, kept: 65_000 },
])('$frameLen bytes under packet length $packetLength: $kept', ({ frameLen, packetLength, kept }) => {
  expect(keptLen(frameLen, packetLength)).toBe(kept);
});
