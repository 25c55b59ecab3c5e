import { expect, test } from 'vitest';
import { ageKey, isLaneFolder, liveName, parseLiveName } from '../../../src/store/live-names.ts';

const plain = {
  start: '20261121T040000Z',
  sequence: 7,
  worker: 3,
  format: 'pcapng',
  compression: 'none',
  part: false,
};

test.each([
  { name: '20261121T040000Z-000007-w3.pcapng', says: plain },
  { name: '20261121T040000Z-000007-w3.pcapng.part', says: { ...plain, part: true } },
  { name: '20261121T040000Z-000007-w3.pcap', says: { ...plain, format: 'pcap' } },
  { name: '20261121T040000Z-000007-w3.pcapng.zst', says: { ...plain, compression: 'zstd' } },
  {
    name: '20261121T040000Z-000007-w3.pcap.gz.part',
    says: { ...plain, format: 'pcap', compression: 'gzip', part: true },
  },
  { name: '20261121T040000Z-1000007-w12.pcapng', says: { ...plain, sequence: 1_000_007, worker: 12 } },
  { name: '20261121T040000Z-000007-w3.pcapng.damaged', says: undefined },
  { name: '20261121T040000Z-000007-w3.pcapng.bak', says: undefined },
  { name: '20261121T040000Z-000007-w3.pcapng.xz', says: undefined },
  { name: '20261121T040000Z-07-w3.pcapng', says: undefined },
  { name: '20261121T040000Z-000007.pcapng', says: undefined },
  { name: 'notes.txt', says: undefined },
])('$name', ({ name, says }) => {
  expect(parseLiveName(name)).toEqual(says);
});

test('a name that is made is read back', () => {
  expect(liveName(1_795_233_600, 7, 3, 'pcapng')).toBe('20261121T040000Z-000007-w3.pcapng');
});

test('the age orders by second, then by number, also past six digits', () => {
  const key = (name: string) => ageKey(parseLiveName(name)!);
  expect(key('20261121T040000Z-999999-w0.pcap') < key('20261121T040000Z-1000000-w0.pcap')).toBe(true);
  expect(key('20261121T040000Z-1000000-w0.pcap') < key('20261121T040001Z-000001-w0.pcap')).toBe(true);
});

test.each(['vni-1', 'geneve-7-00000000000000ff-ip', 'gwlb-16777215-0a1b2c3d4e5f6071', 'overflow-ip', 'all'])(
  '%s is the folder of a lane',
  (name) => expect(isLaneFolder(name)).toBe(true),
);
test.each(['vni-1x', 'evidence', 'vni-', '.index.sqlite', 'geneve-7-ff'])('%s is not', (name) =>
  expect(isLaneFolder(name)).toBe(false),
);
