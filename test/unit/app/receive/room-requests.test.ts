import { expect, test } from 'vitest';
import { RoomRequests } from '../../../../src/app/receive/room-requests.ts';

test('room is asked for once a sink until the answer comes, then anew', async () => {
  const asked: string[] = [];
  const room = new RoomRequests((sink) => asked.push(sink));
  const first = room.make('captures');
  expect(room.make('captures')).toBe(first);
  const other = room.make('other');
  expect(asked).toEqual(['captures', 'other']);
  room.made('captures');
  await first;
  const second = room.make('captures');
  expect(asked).toEqual(['captures', 'other', 'captures']);
  room.made('captures');
  room.made('other');
  await Promise.all([second, other]);
  room.made('nobody asked');
});
