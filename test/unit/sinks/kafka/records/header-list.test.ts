import { expect, test } from 'vitest';
import { BATCH_HEADER_LEN, encodeRecords } from '../../../../../src/format/record-batch.ts';
import { HeaderList } from '../../../../../src/sinks/kafka/records/header-list.ts';

const texts: readonly (readonly [string, string])[] = [
  ['vni', '42'],
  ['observer', 'a host whose name is longer than sixty-three characters, so that its length takes two bytes'],
  ['a name of more than sixty-three characters: its length takes two bytes', ''],
  ['ts-ns', '7'],
];
const names = texts.map(([name]) => Buffer.from(name));
const values = texts.map(([, value]) => Buffer.from(value));
const [first, second] = names as [Buffer, Buffer];
const map = new Map<Buffer, Buffer>(names.map((name, i) => [name, values[i] as Buffer]));
const list = new HeaderList(names, headersOf(map));

/** The headers of a record, as the batch of that record alone has them at its end. */
function headersOf(headers: ReadonlyMap<Buffer, Buffer>): Buffer {
  const record = { key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs: 0 };
  const bare = encodeRecords([{ ...record, headers: new Map() }]);
  const batch = encodeRecords([{ ...record, headers }]);
  // its length takes two bytes instead of one
  return batch.subarray(bare.length + 1);
}

test('a list of headers reads as a Map does', () => {
  expect([...list]).toEqual([...map]);
  expect([...list.entries()]).toEqual([...map.entries()]);
  expect([...list.keys()]).toEqual([...map.keys()]);
  expect([...list.values()]).toEqual([...map.values()]);
  expect(list.size).toBe(map.size);
  expect([list.get(second), list.has(first)]).toEqual([map.get(second), true]);
  // by identity, as keys of a Map are
  expect([list.get(Buffer.from('vni')), list.has(Buffer.from('vni'))]).toEqual([undefined, false]);
  const seen: [Buffer, Buffer][] = [];
  list.forEach((value, name) => seen.push([name, value]));
  expect(seen).toEqual([...map]);
});

test('two walks do not disturb each other', () => {
  const [one, other] = [list[Symbol.iterator](), list[Symbol.iterator]()];
  one.next();
  expect(other.next().value).toEqual([first, values[0]]);
  expect(one.next().value).toEqual([second, values[1]]);
});

test('a list without headers ends at once', () => {
  expect([...new HeaderList([], Buffer.alloc(0))]).toEqual([]);
});

test('a record with the list is the record with the Map', () => {
  const record = { key: Buffer.from('key'), value: Buffer.from('value'), timestampMs: 1 };
  const records = (headers: ReadonlyMap<Buffer, Buffer>) => [1, 2, 3].map(() => ({ ...record, headers }));
  const bytesOf = (headers: ReadonlyMap<Buffer, Buffer>) =>
    encodeRecords(records(headers)).subarray(BATCH_HEADER_LEN);
  expect(bytesOf(list)).toEqual(bytesOf(map));
});
