/** What tests read of flow records, as they stand in a file: one JSON object a line. */
export interface FlowLine {
  readonly '@timestamp': string;
  readonly source: Side;
  readonly destination: Side;
  readonly event: { readonly type: readonly string[]; readonly start: string; readonly end: string };
  readonly network: {
    readonly type: string;
    readonly transport: string;
    readonly packets: number;
    readonly bytes: number;
    readonly community_id: string;
    readonly direction?: string;
    readonly protocol?: string;
  };
  readonly mirrortap: Record<string, unknown> & {
    readonly flow_id: string;
    readonly sequence: number;
    readonly final: boolean;
    readonly lane: string;
    readonly vni: number;
    readonly mirror_source: { readonly ip: string };
    readonly truncated_packets: number;
    readonly end_reason: string;
    readonly initiator: string;
    readonly ports_unknown?: true;
    readonly duplicate_packets?: number;
    readonly checksum?: { readonly bad?: number; readonly partial?: number };
  };
}

interface Side {
  readonly ip: string;
  readonly port?: number;
  readonly packets: number;
  readonly bytes: number;
}

export function flowLines(text: string): FlowLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FlowLine);
}

/** Packets and wire bytes by what `key` tells of a record. */
export function summed(
  flows: readonly FlowLine[],
  key: (flow: FlowLine) => string,
): Record<string, [packets: number, bytes: number]> {
  const sums: Record<string, [number, number]> = {};
  for (const flow of flows) {
    const sum = (sums[key(flow)] ??= [0, 0]);
    sum[0] += flow.network.packets;
    sum[1] += flow.network.bytes;
  }
  return sums;
}

export function laneAndId({ mirrortap, network }: FlowLine): string {
  return `${mirrortap.lane} ${network.community_id}`;
}
