import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pause, startReceive, until } from '../support/appliance.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { bothDirections, sendMirrored } from '../support/aws-like-traffic.ts';
import { requiresRoot } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

/** The system call of a thread that waits for work to be handed to it; asm/unistd.h */
const FUTEX = process.arch === 'arm64' ? '98' : '202';
const LOOKS = 40;

/** Threads of libuv's pool, and the system call that each of them is in; see proc(5), /proc/pid/syscall. */
function poolThreads(pid: number): string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .filter((task) => readFileSync(join(tasks, task, 'comm'), 'utf8').startsWith('libuv-worker'))
    .map((task) => readFileSync(join(tasks, task, 'syscall'), 'utf8').split(' ')[0] ?? '');
}

test.skipIf(!requiresRoot()).each(['ring', 'mmsg'])(
  'mode %s: eight workers that wait leave the threads that write files alone: one of these serves all of them',
  (mode) =>
    withFolder(async (folder) => {
      const settings = [`listen.mode=${mode}`, 'workers=8', 'listen.ring.bytes=4194304'];
      const environment = { UV_THREADPOOL_SIZE: '1' };
      const receive = await startReceive(join(folder, 'captures'), ...settings, { environment });
      const packets = bothDirections(400, 3, receive.vxlanPort);
      await sendMirrored(packets, { vxlan: receive.vxlanPort, geneve: receive.genevePort });
      await until('all are written', async () => {
        const samples = readSamples(await (await fetch(`${receive.url}/metrics`)).text());
        return total(samples, 'mirrortap_sink_written_packets_total') === packets.length;
      });
      // the free space of the disk is looked at now and then: nearly always it has nothing to do all the same
      const calls: string[] = [];
      for (let look = 0; look < LOOKS; look++) {
        calls.push(...poolThreads(receive.child.pid ?? 0));
        await pause(5);
      }
      expect(calls).toHaveLength(LOOKS);
      expect(calls.filter((call) => call === FUTEX).length).toBeGreaterThan(LOOKS / 2);
      const { report } = await receive.end();
      expect(report.sinks).toMatchObject([{ written: packets.length, pending: 0 }]);
      expect(report.sinks[0]?.dropped).toEqual({});
    }),
);
