import { expect, test } from 'vitest';
import { HeaderList } from '../../../../../src/sinks/kafka/records/header-list.ts';

const names = ['vni', 'observer', 'ts-ns'].map((name) => Buffer.from(name));
const values = ['42', 'host', '7'].map((value) => Buffer.from(value));
const [first, second] = names as [Buffer, Buffer];
const list = new HeaderList(names, values);
const map = new Map<Buffer, Buffer>(names.map((name, i) => [name, values[i] as Buffer]));

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
  expect([...new HeaderList([], [])]).toEqual([]);
});
