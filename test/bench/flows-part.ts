import { requires } from '../support/requires.ts';
import type { FlowCapture } from './flow-capture.ts';
import type { FlowCounts } from './flow-counts.ts';
import {
  benchCut,
  benchFlows,
  type CutResult,
  flowContenders,
  type FlowContender,
  type FlowResult,
} from './flows.ts';
import { left, right, table } from './markdown.ts';
import type { BenchOptions } from './parts.ts';
import { medianOf, megabytes, ratio, whole } from './statistics.ts';
import { INSTALL } from './suricata.ts';

const FULL = { packets: 5_000_000, flows: 200_000 } as const;
const QUICK = { packets: 500_000, flows: 20_000 } as const;
const CUT = { packets: 100_000, flows: 4_000 } as const;
const CUT_LENGTHS = [64, 128, 500] as const;

/** `decap --flows` against Suricata, and what both make of cut packets. */
export async function flowsPart({ quick, runs, progress }: BenchOptions): Promise<string> {
  const { flows, flowsAndFiles, suricata, suricataAlone } = flowContenders;
  const isThere = ({ program }: FlowContender): boolean => program === '' || requires(program);
  const contenders = [flows, flowsAndFiles, suricata, suricataAlone].filter(isThere);
  const result = await benchFlows({ ...(quick ? QUICK : FULL), contenders, runs, progress });
  const cutContenders = [flows, suricata].filter(isThere);
  const cut = await benchCut({ ...CUT, contenders: cutContenders, runs: 1, progress }, CUT_LENGTHS);
  const missing = contenders.includes(suricata)
    ? []
    : [`Not run: suricata is not installed (\`${INSTALL}\`).`];
  return [timeTable(result), cutTable(cut), ...missing].join('\n\n');
}

function timeTable({ capture, samples, counts }: FlowResult): string {
  const secondsOf = (contender: FlowContender): number | undefined => {
    const list = samples.get(contender);
    return list && medianOf(list, ({ seconds }) => seconds);
  };
  const reference = secondsOf(flowContenders.suricata);
  const leanReference = secondsOf(flowContenders.suricataAlone);
  const rows = [...samples].map(([contender, list]) => {
    const cpuSeconds = medianOf(list, (sample) => sample.cpuSeconds);
    const seconds = secondsOf(contender) ?? 0;
    return [
      contender.name,
      `${seconds.toFixed(2)} s`,
      `${cpuSeconds.toFixed(2)} s`,
      `${whole((cpuSeconds * 1e9) / capture.packets)} ns`,
      ratio(reference ?? 0, seconds),
      ratio(leanReference ?? 0, seconds),
      megabytes(Math.max(...list.map(({ residentBytes }) => residentBytes))),
      ...shares(counts.get(contender), capture),
    ];
  });
  const columns = [
    left('program'),
    right('time'),
    right('CPU'),
    right('CPU a packet'),
    right('faster than suricata'),
    right('than flows alone'),
    right('memory'),
    right('flows'),
    right('packets'),
    right('bytes'),
  ];
  const title = `### ${megabytes(capture.bytes)}, ${whole(capture.packets)} packets of ${whole(capture.flows)} flows`;
  return `${title}\n\n${table(columns, rows)}`;
}

function cutTable(results: readonly CutResult[]): string {
  const rows = results.flatMap(({ cutLen, capture, counts }) =>
    [...counts].map(([{ name }, count]) => [whole(cutLen), name, ...shares(count, capture)]),
  );
  const columns = [right('cut at'), left('program'), right('flows'), right('packets'), right('bytes')];
  const title = `### ${whole(CUT.packets)} packets of ${whole(CUT.flows)} flows, cut`;
  return `${title}\n\n${table(columns, rows)}`;
}

/** Flows that the records tell of, and what part of the packets and of the bytes on the wire. */
function shares(count: FlowCounts | undefined, capture: FlowCapture): string[] {
  if (count === undefined) return ['–', '–', '–'];
  const percent = (part: number, all: number): string => `${((100 * part) / all).toFixed(1)} %`;
  return [whole(count.flows), percent(count.packets, capture.packets), percent(count.bytes, capture.ipBytes)];
}
