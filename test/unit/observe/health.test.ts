import { describe, expect, test } from 'vitest';
import {
  mergeSinkStates,
  readiness,
  type ReadinessPolicy,
  type SinkState,
} from '../../../src/observe/health.ts';

const NOW_MS = 1_800_000_000_000;

/** A sink that has refused for so long; 0: it accepts. */
function sink(name: string, failingMs: number, remote = false): SinkState {
  return {
    name,
    remote,
    failingSinceMs: failingMs === 0 ? 0 : NOW_MS - failingMs,
    reason: failingMs === 0 ? undefined : 'diskFull',
  };
}

interface Row {
  readonly name: string;
  readonly policy?: ReadinessPolicy;
  readonly sinks: readonly SinkState[];
  readonly status: string;
}

const LONG_MS = 30_000;
const SHORT_MS = 29_999;

const rows: readonly Row[] = [
  { name: 'one sink accepts', sinks: [sink('a', 0)], status: 'ready' },
  { name: 'no sink at all', sinks: [], status: 'ready' },
  { name: 'its only sink refuses for less than 30 s', sinks: [sink('a', SHORT_MS)], status: 'degraded' },
  { name: 'its only sink refuses for 30 s', sinks: [sink('a', LONG_MS)], status: 'not ready' },
  { name: 'one of two refuses', sinks: [sink('a', LONG_MS), sink('b', 0)], status: 'degraded' },
  { name: 'both refuse, one just began', sinks: [sink('a', LONG_MS), sink('b', 1)], status: 'degraded' },
  { name: 'both refuse for long', sinks: [sink('a', LONG_MS), sink('b', LONG_MS)], status: 'not ready' },
  { name: 'only a remote sink, refusing', sinks: [sink('bus', LONG_MS, true)], status: 'degraded' },
  {
    name: 'a remote sink accepts, the local one refuses',
    sinks: [sink('a', LONG_MS), sink('bus', 0, true)],
    status: 'not ready',
  },
  {
    name: 'a remote sink refuses, the local one accepts',
    sinks: [sink('a', 0), sink('bus', LONG_MS, true)],
    status: 'degraded',
  },
  {
    name: 'all: one of two refuses',
    policy: 'all',
    sinks: [sink('a', LONG_MS), sink('b', 0)],
    status: 'not ready',
  },
  {
    name: 'all: one of two just began',
    policy: 'all',
    sinks: [sink('a', SHORT_MS), sink('b', 0)],
    status: 'degraded',
  },
  {
    name: 'all: a remote one refuses',
    policy: 'all',
    sinks: [sink('a', 0), sink('bus', LONG_MS, true)],
    status: 'degraded',
  },
  { name: 'all: both accept', policy: 'all', sinks: [sink('a', 0), sink('b', 0)], status: 'ready' },
  { name: 'none: every sink refuses', policy: 'none', sinks: [sink('a', LONG_MS)], status: 'degraded' },
  {
    name: 'list: the listed one accepts',
    policy: ['a'],
    sinks: [sink('a', 0), sink('b', LONG_MS)],
    status: 'degraded',
  },
  {
    name: 'list: the listed one refuses',
    policy: ['a'],
    sinks: [sink('a', LONG_MS), sink('b', 0)],
    status: 'not ready',
  },
  {
    name: 'list: one of two listed refuses',
    policy: ['a', 'b'],
    sinks: [sink('a', LONG_MS), sink('b', 0)],
    status: 'not ready',
  },
  {
    name: 'list: a remote one counts',
    policy: ['bus'],
    sinks: [sink('a', 0), sink('bus', LONG_MS, true)],
    status: 'not ready',
  },
  { name: 'list: a sink that is not there', policy: ['c'], sinks: [sink('a', 0)], status: 'ready' },
];

describe('with a worker that receives', () => {
  test.each(rows)('$name: $status', ({ policy = 'any', sinks, status }) => {
    const answer = readiness({ draining: false, workersReceiving: 1, sinks, policy, nowMs: NOW_MS });
    expect(answer.status).toBe(status);
    expect(answer.httpStatus).toBe(status === 'not ready' ? 503 : 200);
    const failing = sinks.filter(({ failingSinceMs }) => failingSinceMs !== 0).map(({ name }) => name);
    expect(answer.reasons.map((reason) => reason.sink)).toEqual(failing);
  });
});

test.each(rows)('$name: draining, or without a worker, it is not ready', ({ policy = 'any', sinks }) => {
  const draining = readiness({ draining: true, workersReceiving: 1, sinks, policy, nowMs: NOW_MS });
  expect([draining.httpStatus, draining.reasons[0]?.code]).toEqual([503, 'DRAINING']);
  const idle = readiness({ draining: false, workersReceiving: 0, sinks, policy, nowMs: NOW_MS });
  expect([idle.httpStatus, idle.reasons[0]?.code]).toEqual([503, 'NO_WORKER_RECEIVING']);
});

test('all reasons are told, those of the process first', () => {
  const sinks = [sink('a', 42_500), sink('b', 0)];
  const { status, reasons } = readiness({
    draining: true,
    workersReceiving: 0,
    sinks,
    policy: 'any',
    nowMs: NOW_MS,
  });
  expect(status).toBe('not ready');
  expect(reasons).toEqual([
    { code: 'DRAINING', sink: null, message: 'Stopping: what arrives is still taken.' },
    { code: 'NO_WORKER_RECEIVING', sink: null, message: 'No worker receives packets.' },
    { code: 'SINK_FAILING', sink: 'a', message: 'The sink has refused packets for 42 s (diskFull).' },
  ]);
});

test('a clock that was set back gives no negative time', () => {
  const ahead = { ...sink('a', 1), failingSinceMs: NOW_MS + 5000, reason: undefined };
  const { reasons } = readiness({
    draining: false,
    workersReceiving: 1,
    sinks: [ahead],
    policy: 'any',
    nowMs: NOW_MS,
  });
  expect(reasons[0]?.message).toBe('The sink has refused packets for 0 s.');
});

test('a sink of several workers is failing if it is in any, since the earliest', () => {
  const merged = mergeSinkStates([
    sink('a', 0),
    sink('b', 0),
    sink('a', 5),
    sink('a', 9),
    sink('b', 0),
    sink('a', 0),
  ]);
  expect(merged).toEqual([sink('a', 9), sink('b', 0)]);
});
