/** What each bench measures, and how its figures are put into tables. */
import { packageOf, requires, requiresRoot } from '../support/requires.ts';
import { benchDecap, type Contender, decapContender, type DecapResult, peers } from './decap.ts';
import { left, right, table } from './markdown.ts';
import { benchMicro } from './micro.ts';
import { microCases } from './micro-cases.ts';
import { benchIdle, benchReceive, type Cell, type CellResult } from './receive.ts';
import { dumpcap, mirrortap, modes, type Receiver, tcpdump } from './receivers.ts';
import { medianOf, megabytes, ratio, whole } from './statistics.ts';

export interface BenchOptions {
  readonly quick: boolean;
  readonly runs: number;
  readonly progress: (line: string) => void;
}

/** As large as the ring of mirrortap, for the second tcpdump. */
const RING_KILOBYTES = 65_536;
const RATES = [50_000, 100_000, 200_000, 0];
const SIZES = [128, 512, 1400, 8900];
const IDLE_SECONDS = 10;
const DISK_BYTES = 1_500_000_000;
const CAPTURE_BYTES = 1_400_000_000;
const QUICK_CAPTURE_BYTES = 200_000_000;

/** `receive` in each mode against tcpdump and dumpcap. */
export async function receivePart({ quick, runs, progress }: BenchOptions): Promise<string> {
  if (![requires('ip'), requiresRoot()].every(Boolean)) {
    return 'Not run: it makes network namespaces, as root, with `ip` (`apt-get install --yes iproute2`).';
  }
  const sizes = quick ? [128, 1400] : SIZES;
  const rates = quick ? [200_000] : RATES;
  const cells = sizes.flatMap((innerBytes) =>
    rates.map((packetsPerSecond): Cell => ({ innerBytes, packetsPerSecond })),
  );
  const all = [...modes.map(mirrortap), tcpdump(), tcpdump(RING_KILOBYTES), dumpcap()];
  const receivers = all.filter(isThere);
  const seconds = quick ? 1 : 3;
  const results = await benchReceive({ cells, receivers, runs, seconds, diskBytes: DISK_BYTES, progress });
  const tables = sizes.map((innerBytes) => {
    const own = results.filter(({ cell }) => cell.innerBytes === innerBytes);
    return `### Inner frames of ${whole(innerBytes)} bytes\n\n${receiveTable(own)}`;
  });
  const idle = await idleTable(
    receivers.filter(({ own }) => own),
    quick ? 2 : IDLE_SECONDS,
    progress,
  );
  return [...tables, `### Idle\n\n${idle}`, ...notRun(all)].join('\n\n');
}

function receiveTable(results: readonly CellResult[]): string {
  const columns = [
    right('packets/s'),
    left('receiver'),
    right('CPU a packet'),
    right('× tcpdump'),
    right('lost'),
    right('memory'),
  ];
  const rows = results.flatMap(({ cell, samples }) => {
    const reference = [...samples].find(([{ name }]) => name === 'tcpdump');
    const referenceNs = reference && medianOf(reference[1], ({ cpuNs }) => cpuNs);
    return [...samples].map(([{ name }, list]) => {
      const cpuNs = medianOf(list, (sample) => sample.cpuNs);
      const rate = medianOf(list, ({ sent }) => sent.rate);
      return [
        cell.packetsPerSecond === 0 ? `max: ${whole(rate / 1000)}k` : whole(cell.packetsPerSecond),
        name,
        `${whole(cpuNs)} ns`,
        ratio(cpuNs, referenceNs),
        `${(100 * medianOf(list, ({ loss }) => loss)).toFixed(3)} %`,
        megabytes(Math.max(...list.map(({ residentBytes }) => residentBytes))),
      ];
    });
  });
  return table(columns, rows);
}

async function idleTable(
  receivers: readonly Receiver[],
  seconds: number,
  progress: (line: string) => void,
): Promise<string> {
  const rows: string[][] = [];
  for (const receiver of receivers) {
    const { core, residentBytes } = await benchIdle(receiver, seconds);
    const percent = `${(100 * core).toFixed(2)} %`;
    progress(`idle, ${receiver.name}: ${percent} of a core`);
    rows.push([receiver.name, percent, megabytes(residentBytes)]);
  }
  return table([left('receiver'), right('of a core'), right('memory')], rows);
}

/** `decap` against editcap, tcpdump and cp. */
export async function decapPart({ quick, runs, progress }: BenchOptions): Promise<string> {
  const all = [decapContender(1), decapContender(2), ...peers];
  const results = await benchDecap({
    innerBytes: [128, 1400],
    contenders: all.filter(isThere),
    captureBytes: quick ? QUICK_CAPTURE_BYTES : CAPTURE_BYTES,
    runs,
    progress,
  });
  return [...results.map(decapTable), ...notRun(all)].join('\n\n');
}

function decapTable({ innerBytes, capture, samples }: DecapResult): string {
  const seconds = (name: string): number | undefined => {
    const list = [...samples].find(([contender]) => contender.name.startsWith(name))?.[1];
    return list && medianOf(list, (sample) => sample.seconds);
  };
  const [editcap, cp] = [seconds('editcap'), seconds('cp')];
  const rows = [...samples].map(([{ name }, list]) => {
    const took = medianOf(list, (sample) => sample.seconds);
    return [
      name,
      `${took.toFixed(2)} s`,
      `${medianOf(list, ({ cpuSeconds }) => cpuSeconds).toFixed(2)} s`,
      ratio(took, editcap),
      ratio(took, cp),
      `${whole((took * 1e9) / capture.packets)} ns`,
      megabytes(Math.max(...list.map(({ residentBytes }) => residentBytes))),
    ];
  });
  const title = `### ${megabytes(capture.bytes)}, ${whole(capture.packets)} packets with inner frames of ${whole(innerBytes)} bytes`;
  const columns = [
    left('program'),
    right('time'),
    right('CPU'),
    right('× editcap'),
    right('× cp'),
    right('a packet'),
    right('memory'),
  ];
  return `${title}\n\n${table(columns, rows)}`;
}

/** Single steps of a packet's way. */
export async function microPart({ quick, progress }: BenchOptions): Promise<string> {
  const results = benchMicro({ cases: microCases, innerBytes: [128, 1400], quick, progress });
  const rows = results.map(({ case: { name, source }, innerBytes, packetNs, packetBytes }) => [
    name,
    `\`${source}\``,
    whole(innerBytes),
    packetNs.toFixed(1),
    packetBytes.toFixed(2),
  ]);
  const columns = [
    left('step'),
    left('where'),
    right('inner bytes'),
    right('ns a packet'),
    right('heap bytes a packet'),
  ];
  return table(columns, rows);
}

interface Program {
  readonly name: string;
  readonly program: string;
}

function isThere({ program }: Program): boolean {
  return program === '' || requires(program);
}

/** What could not be compared, with the line that brings it. */
function notRun(all: readonly (Receiver | Contender)[]): string[] {
  const absent = new Set(all.filter((one) => !isThere(one)).map(({ program }) => program));
  return [...absent].map(
    (program) => `Not run: ${program} is not installed (\`apt-get install --yes ${packageOf(program)}\`).`,
  );
}
