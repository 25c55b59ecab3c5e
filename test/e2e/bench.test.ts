import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benchDecap, decapContender, peers } from '../bench/decap.ts';
import { benchMicro, engineFlags } from '../bench/micro.ts';
import { microCases, plantedCase } from '../bench/micro-cases.ts';
import { benchIdle, benchReceive } from '../bench/receive.ts';
import { dumpcap, mirrortap, tcpdump } from '../bench/receivers.ts';
import { requires, requiresRoot } from '../support/requires.ts';

/** The benches at their smallest: that they run and count, not what comes out. */
const TIMEOUT_MS = 240_000;
/** The smallest object takes 16 bytes. */
const BYTES_MAX = 4;

const accounts = existsSync('/proc/self/schedstat');
const network = [
  requires('ip'),
  requires('tcpdump'),
  requires('dumpcap'),
  requires('capinfos'),
  requiresRoot(),
];

test.skipIf(!accounts || !network.every(Boolean))(
  'receive: every receiver takes a small load off the cable, and its files hold what it says',
  async () => {
    const lines: string[] = [];
    const receivers = [mirrortap('dgram'), tcpdump(), tcpdump(8192), dumpcap()];
    const [result] = await benchReceive({
      cells: [{ innerBytes: 128, packetsPerSecond: 5_000 }],
      receivers,
      runs: 1,
      seconds: 0.5,
      warmUp: [{ packetsPerSecond: 1_000, seconds: 0.1 }],
      diskBytes: 10_000_000,
      progress: (line) => lines.push(line),
    });
    expect(lines.length).toBe(receivers.length);
    for (const [receiver, list] of result?.samples ?? []) {
      expect(receivers).toContain(receiver);
      for (const { sent, cpuNs, loss, residentBytes } of list) {
        expect(sent.sent).toBeGreaterThan(1_000);
        expect(cpuNs).toBeGreaterThan(0);
        expect(loss).toBeLessThan(1);
        expect(residentBytes).toBeGreaterThan(1_000_000);
      }
    }
    const idle = await benchIdle(mirrortap('dgram'), 0.2, 0);
    expect(idle.core).toBeLessThan(1);
  },
  TIMEOUT_MS,
);

test.skipIf(!accounts || ![requires('editcap'), requires('tcpdump'), requires('capinfos')].every(Boolean))(
  'decap: every program writes as many packets as the capture has',
  async () => {
    const contenders = [decapContender(1), ...peers];
    const [result] = await benchDecap({
      innerBytes: [128],
      contenders,
      captureBytes: 1_000_000,
      runs: 1,
      progress: () => {},
    });
    expect(result?.capture.packets).toBeGreaterThan(4_000);
    expect([...(result?.samples.keys() ?? [])]).toEqual(contenders);
  },
  TIMEOUT_MS,
);

test(
  'micro: no step leaves an object for each packet, and one that does is seen',
  () => {
    const results = benchMicro({
      cases: [...microCases, plantedCase],
      innerBytes: [128],
      quick: true,
      progress: () => {},
    });
    for (const { case: one, packetBytes, packetNs, sum } of results) {
      expect(packetNs).toBeGreaterThan(0);
      expect(sum).toBeGreaterThan(0);
      if (one === plantedCase) expect(packetBytes).toBeGreaterThan(8);
      else expect([one.name, packetBytes < BYTES_MAX]).toEqual([one.name, true]);
    }
    expect(engineFlags().every((flag) => flag.startsWith('--'))).toBe(true);
  },
  TIMEOUT_MS,
);
