import { expect, test } from 'vitest';
import { family } from '../../../src/native/constants.ts';
import { FrameVector } from '../../../src/native/frame-vector.ts';
import { iovec, mmsghdr, sockaddrLl } from '../../../src/native/layout.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import { requiresNative } from '../../support/native.ts';

const native = await requiresNative();
const MESSAGES = 5;

/** What a sendmmsg of all messages would send. */
function sent(vector: FrameVector, count: number): { to: number; text: string }[] {
  const network = new FakeNetwork();
  network.send(vector, 0, count);
  return network.sent.map(({ to, frame }) => ({ to, text: frame.toString('latin1') }));
}

test.skipIf(!native)('messages are a head and a piece of one of two memories, each to its interface', () => {
  const vector = new FrameVector(MESSAGES, 3);
  // so much has pages of its own, far above 4 GiB
  const large = Buffer.alloc(4_194_304);
  const at = large.length - 16;
  large.write('the first memory', at, 'latin1');
  vector.setMemory(0, large);
  vector.setMemory(1, Buffer.from('another memory'));
  for (const [address, index] of [7, 70_000, 2].entries()) vector.setInterface(address, index);
  vector.bytes.write('head', vector.headAt(1), 'latin1');
  vector.bytes.write('012345678901234567890123', vector.headAt(4), 'latin1');
  vector.put(0, 0, 0, 0, at + 4, at + 9);
  vector.put(1, 1, 4, 1, 0, 7);
  vector.put(2, 2, 0, 0, at, at + 16);
  vector.put(3, 1, 2, 1, 7, 7);
  vector.put(4, 0, 24, 1, 13, 14);
  expect(sent(vector, MESSAGES)).toEqual([
    { to: 7, text: 'first' },
    { to: 70_000, text: 'headanother' },
    { to: 2, text: 'the first memory' },
    { to: 70_000, text: '\0\0' },
    { to: 7, text: '012345678901234567890123y' },
  ]);
});

test.skipIf(!native)('a message that is used again, of other memory, says nothing of what it was', () => {
  const vector = new FrameVector(1, 1);
  const memories = ['one', 'two'].map((text) => Buffer.from(text));
  for (const memory of memories) {
    vector.setMemory(0, memory);
    vector.setInterface(0, memory[0] ?? 0);
    vector.put(0, 0, 0, 0, 0, 3);
    expect(sent(vector, 1)).toEqual([{ to: memory[0], text: memory.toString() }]);
  }
});

test.skipIf(!native)('headers are as the kernel reads them', () => {
  const vector = new FrameVector(2, 1);
  vector.setMemory(0, Buffer.from('x'));
  vector.setInterface(0, 3);
  vector.put(1, 0, 0, 0, 0, 1);
  const { bytes } = vector;
  const field = (name: keyof typeof mmsghdr.at): bigint =>
    bytes.readBigUInt64LE(mmsghdr.bytes + mmsghdr.at[name]);
  expect(field('msg_hdr.msg_namelen')).toBe(BigInt(sockaddrLl.bytes));
  expect(field('msg_hdr.msg_iovlen')).toBe(2n);
  expect([field('msg_hdr.msg_control'), field('msg_hdr.msg_controllen')]).toEqual([0n, 0n]);
  expect(vector.headerAddress(1) - vector.headerAddress(0)).toBe(BigInt(mmsghdr.bytes));
  const name = Number(field('msg_hdr.msg_name') - vector.headerAddress(0));
  expect(bytes.readUInt16LE(name + sockaddrLl.at.sll_family)).toBe(family.AF_PACKET);
  // the kernel finds the protocol in the frame
  expect(bytes.readUInt16LE(name + sockaddrLl.at.sll_protocol)).toBe(0);
  expect(iovec.bytes).toBe(16);
});

test.skipIf(!native)('an address that the vector does not have is a mistake of the caller', () => {
  const vector = new FrameVector(1, 2);
  expect(() => vector.setInterface(2, 1)).toThrow(AssertionFailure);
  expect(() => vector.setInterface(-1, 1)).toThrow(AssertionFailure);
});
