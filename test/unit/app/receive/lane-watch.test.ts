import { expect, test } from 'vitest';
import { buildReport } from '../../../../src/app/build-report.ts';
import { FileList } from '../../../../src/app/file-list.ts';
import { LaneWatch } from '../../../../src/app/receive/lane-watch.ts';
import { tallyOf } from '../../../../src/app/shared-memory.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import type { Config } from '../../../../src/config/settings.ts';
import { noClosedLanes } from '../../../../src/observe/report.ts';
import { Encapsulation } from '../../../../src/packet/lane.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../../src/receive/lane-counters.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { Tally } from '../../../../src/receive/tally.ts';
import { CountedMemory } from '../../../support/counted-memory.ts';
import { LogLines } from '../../../support/log-lines.ts';

const START_SECONDS = 1_000_000;

function settings(...set: readonly string[]): Config {
  return loadConfig({ file: 'settings', text: '', environment: {}, set });
}

/** A watch over two workers' lanes; its clock stands still until the test moves it. */
function makeWatch(...set: readonly string[]) {
  const counted = new CountedMemory(2, 4);
  const files = new FileList();
  const log = new LogLines();
  const clock = { seconds: START_SECONDS };
  const watch = new LaneWatch({
    memory: counted.memory,
    lanes: counted.lanes,
    files,
    config: settings(...set),
    log,
    now: () => clock.seconds * 1000,
  });
  return {
    counted,
    files,
    log,
    watch,
    /** Counts a packet of a VNI now. */
    heard: (vni: number, worker = 0) => counted.frame(worker, vni, clock.seconds),
    /** Moves the clock and looks; kernel drops as given. */
    look: (seconds: number, kernelDrops = 0) => {
      clock.seconds = START_SECONDS + seconds;
      watch.look(kernelDrops);
    },
    report: () =>
      buildReport(counted.memory, counted.lanes, {
        kernelDrops: 0,
        closedLanes: watch.closedLanes,
        files,
        behindGwlb: false,
        running: true,
      }),
  };
}

test('an idle lane is closed, counted, and its files are forgotten; one that is heard stays', () => {
  const { log, heard, look, report, files, watch } = makeWatch('admission.laneIdleSeconds=60');
  heard(7);
  heard(7, 1);
  heard(42);
  const times = {
    packets: 1,
    dropped: 0,
    firstSeconds: 0,
    firstNanoseconds: 0,
    lastSeconds: 0,
    lastNanoseconds: 0,
  };
  files.add({
    path: 'a',
    bytes: 1,
    packets: 1,
    lanes: [
      { name: 'vni-7', ...times },
      { name: 'vni-42', ...times },
    ],
  });
  look(59);
  expect(watch.closedLanes.count).toBe(0);
  heard(42);
  look(60);
  expect(log.take('lane', 'idleSeconds')).toEqual([
    'info: An idle lane was closed. lane=vni-7 idleSeconds=60',
  ]);
  expect(watch.closedLanes).toEqual({ ...noClosedLanes, count: 1, packets: 2, bytes: 200 });
  expect(report().lanes.map(({ name }) => name)).toEqual(['vni-42']);
  expect([files.of('vni-7').count, files.of('vni-42').count]).toEqual([0, 1]);
  look(61);
  expect(log.take()).toEqual([]);
});

test('what was delivered is what lanes hold, open and closed, also when a lane comes back', () => {
  const { heard, look, report, counted } = makeWatch('admission.laneIdleSeconds=10');
  const kept = (): number => {
    const { lanes, closedLanes } = report();
    return lanes.reduce((sum, { packets }) => sum + packets, closedLanes.packets);
  };
  let packets = 0;
  for (let second = 0; second < 100; second += 5) {
    look(second);
    for (const vni of [1, 2 + (second % 4), 9 + second]) {
      heard(vni, second % 2);
      packets++;
    }
    expect(kept()).toBe(packets);
  }
  look(200);
  expect(counted.lanes.used).toBe(0);
  expect(kept()).toBe(packets);
  expect(report().ledger.delivered).toBe(packets);
});

test('the overflow lane is never closed', () => {
  const { heard, look, report } = makeWatch('admission.laneIdleSeconds=10');
  for (const vni of [1, 2, 3, 4, 5]) heard(vni);
  look(1000);
  expect(report().lanes.map(({ name }) => name)).toEqual(['overflow']);
});

test('an expected VNI falls silent and is heard again, and each is said once', () => {
  const { log, heard, look, watch } = makeWatch('admission.expect=[{vni: 42, silentSeconds: 30}]');
  look(29);
  expect(watch.expected()).toEqual([{ vni: 42, silent: false }]);
  look(30);
  look(31);
  expect(log.take('vni', 'quietSeconds')).toEqual([
    'error: An expected VNI is silent. vni=42 quietSeconds=30',
  ]);
  expect(watch.expected()).toEqual([{ vni: 42, silent: true }]);
  heard(7);
  look(32);
  expect(log.take()).toEqual([]);
  heard(42, 1);
  look(33);
  look(34);
  expect(log.take('vni')).toEqual(['info: An expected VNI is heard again. vni=42']);
  look(62);
  expect(log.take('quietSeconds')).toEqual(['error: An expected VNI is silent. quietSeconds=30']);
});

test('a VNI is not silent before its time because its lane was closed', () => {
  const { log, heard, look } = makeWatch(
    'admission.expect=[{vni: 42, silentSeconds: 300}]',
    'admission.laneIdleSeconds=60',
  );
  look(1000);
  heard(42);
  expect(log.take()).toEqual(['error: An expected VNI is silent.']);
  look(1001);
  look(1060);
  expect(log.take()).toEqual(['info: An expected VNI is heard again.', 'info: An idle lane was closed.']);
  look(1299);
  expect(log.take()).toEqual([]);
  look(1300);
  expect(log.take('quietSeconds')).toEqual(['error: An expected VNI is silent. quietSeconds=300']);
});

test('a reload begins only the watches anew that it changes', () => {
  const expect42 = '{vni: 42, silentSeconds: 30}';
  const { log, look, watch } = makeWatch(`admission.expect=[${expect42}, {vni: 7, silentSeconds: 30}]`);
  look(40);
  expect(log.take('vni').length).toBe(2);
  watch.reload(settings(`admission.expect=[${expect42}, {vni: 7, silentSeconds: 20}]`));
  look(41);
  expect(log.take()).toEqual([]);
  expect(watch.expected()).toEqual([
    { vni: 42, silent: true },
    { vni: 7, silent: false },
  ]);
  look(60);
  expect(log.take('vni')).toEqual(['error: An expected VNI is silent. vni=7']);
});

test('a reload does not forget when a VNI was heard whose lane is closed', () => {
  const set = ['admission.expect=[{vni: 42, silentSeconds: 300}]', 'admission.laneIdleSeconds=60'];
  const { log, heard, look, watch } = makeWatch(...set);
  look(250);
  heard(42);
  look(400);
  expect(log.take()).toEqual(['info: An idle lane was closed.']);
  watch.reload(settings(...set, 'behind=nlb'));
  look(549);
  expect(log.take()).toEqual([]);
  look(550);
  expect(log.take('quietSeconds')).toEqual(['error: An expected VNI is silent. quietSeconds=300']);
});

test('a VNI is heard on any of its lanes', () => {
  const { log, counted, look } = makeWatch('admission.expect=[{vni: 42, silentSeconds: 30}]');
  for (const encapsulation of [Encapsulation.geneveVxlan, Encapsulation.vxlan, Encapsulation.geneve]) {
    const seconds = START_SECONDS + (encapsulation === Encapsulation.vxlan ? 20 : 10);
    counted.frame(0, 42, seconds, 0, 100, encapsulation);
  }
  look(49);
  expect(log.take()).toEqual([]);
  look(50);
  expect(log.take('quietSeconds')).toEqual(['error: An expected VNI is silent. quietSeconds=30']);
});

test('a reload changes how long lanes may be idle', () => {
  const { watch, heard, look } = makeWatch();
  heard(42);
  look(100);
  watch.reload(settings('admission.laneIdleSeconds=50'));
  look(101);
  expect(watch.closedLanes.count).toBe(1);
});

test('kernel drops are said at once, then at most once a minute, with what came meanwhile', () => {
  const { log, look } = makeWatch();
  look(1, 0);
  look(2, 10);
  for (let second = 3; second < 62; second++) look(second, 10 * second);
  look(62, 620);
  look(200, 620);
  look(300, 621);
  expect(log.take('packets', 'total')).toEqual(
    [
      [10, 10],
      [610, 620],
      [1, 621],
    ].map(
      ([packets, total]) =>
        `error: The kernel drops packets: ring or receive buffer is full, they come faster than they are read. packets=${packets} total=${total}`,
    ),
  );
});

test.each([
  { behind: 'gwlb', lines: 2 },
  { behind: 'nlb', lines: 0 },
  { behind: 'direct', lines: 0 },
])('behind $behind: misrouted traffic is said in $lines lines in two minutes', ({ behind, lines }) => {
  const { counted, log, look } = makeWatch(`behind=${behind}`);
  for (let second = 0; second < 120; second++) {
    tallyOf(counted.memory, second % 2)[Tally.geneveOnly]! += 1;
    look(second);
  }
  const said = log.lines.filter(({ message }) => /production traffic/.test(message));
  expect(said.length).toBe(lines);
});

/** Adds to a counter of the lane of VNI 42, which both workers have. */
function add(counted: CountedMemory, worker: number, counter: number, more: number): void {
  const slot = [0, 1, 2, 3].find((used) => counted.lanes.isUsed(used) && counted.lanes.lane(used).vni === 42);
  counted.lanes.counters(worker)[(slot ?? -1) * LANE_COUNTERS_LENGTH + counter]! += more;
}

const { transportVerdict } = LaneCounter;

test.each([
  { name: 'bad', verdict: Verdict.bad, said: 1 },
  { name: 'partial', verdict: Verdict.partial, said: 0 },
  { name: 'valid', verdict: Verdict.valid, said: 0 },
  { name: 'unverifiable', verdict: Verdict.unverifiable, said: 0 },
  { name: 'zero', verdict: Verdict.zero, said: 0 },
])('checksums of 100 packets on two workers, 6 of them $name: $said warnings', ({ verdict, said }) => {
  const { counted, heard, log, look } = makeWatch();
  for (const worker of [0, 1]) {
    heard(42, worker);
    add(counted, worker, transportVerdict + Verdict.valid, 47);
    add(counted, worker, transportVerdict + verdict, 3);
  }
  look(1);
  expect(log.lines.length).toBe(said);
  const lines = log.take('lane', 'bad', 'judged', 'share');
  for (const line of lines)
    expect(line).toBe(
      'warn: Many transport checksums of a lane are bad. lane=vni-42 bad=6 judged=100 share=6.00 %',
    );
});

test('the remedy of bad checksums is at the source, or in a sink', () => {
  const { counted, heard, log, look } = makeWatch();
  heard(42);
  add(counted, 0, transportVerdict + Verdict.bad, 100);
  look(1);
  expect(log.lines[0]?.fields['remedy']).toMatch(/ethtool -K <interface> tx off.*output\.repair: all/);
});

test('what could not be verified is not judged', () => {
  const { counted, heard, log, look } = makeWatch();
  heard(42);
  add(counted, 0, transportVerdict + Verdict.bad, 10);
  add(counted, 0, transportVerdict + Verdict.unverifiable, 10_000);
  look(1);
  expect(log.lines).toEqual([]);
});

test('loss upstream is said after a minute, then at most once a minute, of what came meanwhile', () => {
  const { counted, heard, log, look } = makeWatch();
  for (const worker of [0, 1]) heard(42, worker);
  for (let second = 0; second <= 120; second++) {
    add(counted, second % 2, LaneCounter.ackedBytes, 100_000);
    add(counted, second % 2, LaneCounter.unseenBytes, second < 61 ? 2_000 : 500);
    look(second);
  }
  expect(log.lines[0]?.fields['remedy']).toMatch(/NetworkSkipMirrorIn.*NetworkPacketsSkipMirrorOut/);
  expect(log.take('lane', 'unseenBytes', 'ackedBytes', 'share')).toEqual([
    'warn: Packets of a lane are lost before they reach this host. lane=vni-42 unseenBytes=122000 ackedBytes=6100000 share=2.00 %',
  ]);
});

test.each([
  ['once they have ended', 'admission.maxLanes=4', 30, 0, 31],
  ['not longer than a flow may be idle', 'admission.maxLanes=4', 109, 1, 110],
  ['at once where more than half of the lanes are in use', 'admission.maxLanes=1', 9, 1, 10],
])('a lane of which TCP flows are open is closed %s', (_when, maxLanes, keptSeconds, open, closedSeconds) => {
  const set = [maxLanes, 'admission.laneIdleSeconds=10', 'analysis.flows.idleSeconds.tcp=100'];
  const { counted, heard, look, watch } = makeWatch(...set);
  heard(42);
  heard(42, 1);
  add(counted, 1, LaneCounter.openTcpFlows, 1);
  look(keptSeconds);
  expect(watch.closedLanes.count).toBe(0);
  if (open === 0) add(counted, 1, LaneCounter.openTcpFlows, -1);
  look(closedSeconds);
  expect(watch.closedLanes.count).toBe(1);
});

test('what a lane had lost upstream goes on in closedLanes, with what its flows count after it was closed', () => {
  const { counted, heard, look, watch } = makeWatch('admission.laneIdleSeconds=10');
  heard(42);
  heard(42, 1);
  for (const worker of [0, 1]) {
    add(counted, worker, LaneCounter.tcpFlows, 3);
    add(counted, worker, LaneCounter.ackedBytes, 1000);
  }
  look(10);
  const { closedSlot } = counted.lanes;
  for (const worker of [0, 1]) {
    const row = counted.lanes.counters(worker).subarray(closedSlot * LANE_COUNTERS_LENGTH);
    row[LaneCounter.tcpFlows] = 2;
    row[LaneCounter.oneSidedFlows] = 1;
    row[LaneCounter.unseenBytes] = 10;
  }
  expect(watch.closedLanes).toEqual({
    count: 1,
    packets: 2,
    bytes: 200,
    upstream: { tcpFlows: 10, oneSidedFlows: 2, ackedBytes: 2000, unseenBytes: 20 },
  });
});

test('a lane that is closed and comes again is judged anew', () => {
  const { counted, heard, log, look } = makeWatch('admission.laneIdleSeconds=10');
  for (const seconds of [0, 20]) {
    look(seconds);
    heard(42);
    add(counted, 0, transportVerdict + Verdict.bad, 1000);
    look(seconds + 1);
    look(seconds + 11);
  }
  expect(log.take('bad')).toEqual([
    'warn: Many transport checksums of a lane are bad. bad=1000',
    'info: An idle lane was closed.',
    'warn: Many transport checksums of a lane are bad. bad=1000',
    'info: An idle lane was closed.',
  ]);
});
