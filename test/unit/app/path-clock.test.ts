import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PacketPath } from '../../../src/app/packet-path.ts';
import { PathClock } from '../../../src/app/path-clock.ts';

class Path {
  heldPackets = 0;
  readonly calls: string[] = [];
  release(seconds: number, nanoseconds: number): Promise<void> {
    this.calls.push(`release ${seconds}.${nanoseconds}`);
    return Promise.resolve();
  }
  expire(seconds: number): Promise<void> {
    this.calls.push(`expire ${seconds}`);
    return Promise.resolve();
  }
}

let path: Path;
let clock: PathClock;
beforeEach(() => {
  vi.useFakeTimers({ now: 10_000 });
  path = new Path();
  clock = new PathClock(path as unknown as PacketPath);
  clock.start();
});
afterEach(() => {
  clock.stop();
  vi.useRealTimers();
});

test('flows are looked at four times a second', () => {
  vi.advanceTimersByTime(1000);
  expect(path.calls).toEqual(['expire 10', 'expire 10', 'expire 10', 'expire 11']);
});

test('held packets are let go by the clock only where no packet has come since the last look', () => {
  path.heldPackets = 1;
  clock.packetsCame();
  vi.advanceTimersByTime(10);
  expect(path.calls).toEqual([]);
  clock.packetsCame();
  vi.advanceTimersByTime(10);
  expect(path.calls).toEqual([]);
  vi.advanceTimersByTime(10);
  expect(path.calls).toEqual(['release 10.30000000']);
});

test('no timer runs while nothing is held', () => {
  clock.packetsCame();
  vi.advanceTimersByTime(100);
  expect(path.calls).toEqual([]);
  path.heldPackets = 1;
  clock.packetsCame();
  path.heldPackets = 0;
  vi.advanceTimersByTime(10);
  expect(vi.getTimerCount()).toBe(1);
});
