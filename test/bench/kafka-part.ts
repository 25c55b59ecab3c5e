import { requiresOwnKafka } from '../support/kafka/wanted.ts';
import { clientNames } from '../support/kafka/clients.ts';
import { benchKafka, type KafkaGroup, type KafkaGroupResult, type KafkaRun } from './kafka.ts';
import { left, right, table } from './markdown.ts';
import type { BenchOptions } from './parts.ts';
import { median, medianOf, ratio, whole } from './statistics.ts';

const ENCODINGS = ['frame', 'pcapng'] as const;
const FRAME_BYTES = [128, 700] as const;
const COMPRESSIONS = ['none', 'zstd'] as const;
const RUN_MS = 500;
const QUICK_RUN_MS = 300;

/** The Kafka sink with each client against that client alone and against Kafka's own producer. */
export async function kafkaPart({ quick, runs, progress }: BenchOptions): Promise<string> {
  if (!requiresOwnKafka()) {
    return 'Not run: it starts a broker of its own (`apt-get install --yes default-jre-headless maven openssl kcat`).';
  }
  const groups = ENCODINGS.flatMap((encoding) =>
    FRAME_BYTES.flatMap((frameBytes) =>
      COMPRESSIONS.map((compression): KafkaGroup => ({ encoding, frameBytes, compression })),
    ),
  ).filter(({ frameBytes }) => !quick || frameBytes === FRAME_BYTES[0]);
  const milliseconds = quick ? QUICK_RUN_MS : RUN_MS;
  const results = await benchKafka({ groups, clients: clientNames, runs, milliseconds, progress });
  const tables = ENCODINGS.flatMap((encoding) =>
    FRAME_BYTES.flatMap((frameBytes) => {
      const own = results.filter((one) => one.encoding === encoding && one.frameBytes === frameBytes);
      return own.length === 0
        ? []
        : [`### Encoding ${encoding}, frames of ${frameBytes} bytes\n\n${groupTable(own)}`];
    }),
  );
  return tables.join('\n\n');
}

function groupTable(results: readonly KafkaGroupResult[]): string {
  const columns = [
    left('compression'),
    left('client'),
    right('packets/s'),
    right('records/s'),
    right('MB/s'),
    right('CPU a packet: courier'),
    right('all threads'),
    right('client alone, packets/s'),
    right('its CPU a packet'),
    right('× client alone'),
    right('perf-test, MB/s'),
    right('× perf-test'),
  ];
  const rows = results.flatMap(({ compression, frameBytes, clients, performance }) => {
    const java = median(performance);
    return clients.map(({ client, sink, alone }) => {
      const packets = medianOf(sink, rateOf);
      const packetsAlone = medianOf(alone, rateOf);
      return [
        compression,
        client,
        whole(packets),
        whole(medianOf(sink, (run) => rateOf(run) * run.recordsAPacket)),
        whole((packets * frameBytes) / 1e6),
        microseconds(medianOf(sink, ({ threadUs, packets: count }) => threadUs / count)),
        microseconds(medianOf(sink, ({ processUs, packets: count }) => processUs / count)),
        whole(packetsAlone),
        microseconds(medianOf(alone, ({ processUs, packets: count }) => processUs / count)),
        ratio(packets, packetsAlone),
        whole(java / 1e6),
        ratio(packets * frameBytes, java),
      ];
    });
  });
  return table(columns, rows);
}

function rateOf({ packets, seconds }: KafkaRun): number {
  return packets / seconds;
}

function microseconds(value: number): string {
  return `${value.toFixed(2)} µs`;
}
