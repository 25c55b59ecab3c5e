/** Samples of a page of Prometheus metrics: by name and labels as they stand there, `name{label="value"}`. */
export function readSamples(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

/** Sum of one metric over all its labels, or over those that contain `label`, e.g. `where="worker"`. */
export function total(samples: ReadonlyMap<string, number>, name: string, label = ''): number {
  let sum = 0;
  for (const [key, value] of samples) {
    const brace = key.indexOf('{');
    const ownName = brace < 0 ? key : key.slice(0, brace);
    if (ownName === name && key.includes(label)) sum += value;
  }
  return sum;
}

/** Packets that were received and are in no bucket, and packets of sinks likewise; 0 and 0 when all adds up. */
export function ledgerDifferences(samples: ReadonlyMap<string, number>): [packets: number, sinks: number] {
  const at = (name: string, label?: string): number => total(samples, `mirrortap_${name}`, label);
  const packets =
    at('received_packets_total') -
    at('delivered_packets_total') -
    at('not_tunnel_packets_total') -
    at('filtered_packets_total') -
    at('duplicate_packets_total') -
    at('faults_total') -
    at('held_packets') -
    at('dropped_packets_total', 'where="worker"');
  const sinks =
    at('sink_delivered_packets_total') -
    at('sink_written_packets_total') -
    at('sink_filtered_packets_total') -
    at('sink_dropped_packets_total') -
    at('sink_pending_packets');
  return [packets, sinks];
}
