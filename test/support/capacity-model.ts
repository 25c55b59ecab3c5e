/** The arithmetic of docs/capacity.md, done again from the numbers in its table of assumptions. */

/** Names of what is assumed, as the first column of that table has them. */
export type Assumption =
  | 'besides a frame'
  | 'besides a packet in pcapng'
  | 'headers in a frame'
  | 'left of them and of what is besides, frame'
  | 'left of them and of what is besides, pcapng'
  | 'JSON flow record'
  | 'Avro flow record'
  | 'packets in a flow record'
  | 'replicas'
  | 'consumer groups'
  | 'partition'
  | 'network of a broker'
  | 'disk of a broker'
  | 'besides a packet in the spool';
export type Assumptions = Readonly<Record<Assumption, number>>;

const GIGABITS = [1, 10, 100] as const;
const FRAME_BYTES = [128, 700, 1400] as const;
/** What the tables about clusters take. */
const MIXED_BYTES = 700;
/** Partitions come in this many: it has many divisors, so that consumers share them evenly. */
const PARTITIONS_STEP = 12;

interface Encoding {
  readonly name: string;
  bytes(assumed: Assumptions, frameBytes: number): number;
}

const encodings: readonly Encoding[] = [
  { name: '`frame`', bytes: (assumed, frame) => frame + assumed['besides a frame'] },
  { name: '`pcapng`', bytes: (assumed, frame) => frame + assumed['besides a packet in pcapng'] },
  {
    name: '`frame`, zstd',
    bytes: (assumed, frame) =>
      frame - assumed['headers in a frame'] + assumed['left of them and of what is besides, frame'],
  },
  {
    name: '`pcapng`, zstd',
    bytes: (assumed, frame) =>
      frame - assumed['headers in a frame'] + assumed['left of them and of what is besides, pcapng'],
  },
];

function packetsASecond(gigabits: number, frameBytes: number): number {
  return (gigabits * 1e9) / 8 / frameBytes;
}

/** Rows of the table of bytes a packet. */
export function sizeRows(assumed: Assumptions): string[] {
  return FRAME_BYTES.map((frame) =>
    row(whole(frame), ...encodings.map(({ bytes }) => whole(bytes(assumed, frame)))),
  );
}

/** Rows of the table of records and megabytes a second. */
export function rateRows(assumed: Assumptions): string[] {
  return GIGABITS.flatMap((gigabits) =>
    FRAME_BYTES.map((frame) => {
      const packets = packetsASecond(gigabits, frame);
      const rates = encodings.map(({ bytes }) => whole(megabytes(packets * bytes(assumed, frame))));
      return row(`${gigabits} Gbit/s`, whole(frame), whole(packets), ...rates);
    }),
  );
}

/** Rows of the table of brokers. */
export function clusterRows(assumed: Assumptions): string[] {
  return GIGABITS.flatMap((gigabits) =>
    encodings.map(({ name, bytes }) => {
      const topic = megabytes(packetsASecond(gigabits, MIXED_BYTES) * bytes(assumed, MIXED_BYTES));
      const need = clusterOf(assumed, topic);
      const { written, sent, partitions, brokers } = need;
      const hour = decimal((written * 3600) / 1e6);
      const day = decimal((written * 86_400) / 1e6);
      return row(
        `${gigabits} Gbit/s`,
        name,
        whole(topic),
        whole(written),
        whole(sent),
        hour,
        day,
        whole(partitions),
        whole(brokers),
      );
    }),
  );
}

interface Cluster {
  readonly written: number;
  readonly sent: number;
  readonly partitions: number;
  readonly brokers: number;
}

/** @param topic megabytes a second */
function clusterOf(assumed: Assumptions, topic: number): Cluster {
  const { replicas, partition } = assumed;
  const written = topic * replicas;
  const sent = topic * (replicas - 1 + assumed['consumer groups']);
  const network = assumed['network of a broker'];
  const brokers = Math.max(
    replicas,
    Math.ceil(written / assumed['disk of a broker']),
    Math.ceil(Math.max(written, sent) / network),
  );
  const partitions = Math.ceil(topic / partition / PARTITIONS_STEP) * PARTITIONS_STEP;
  return { written, sent, partitions, brokers };
}

/** Rows of the table of flow records. */
export function flowRows(assumed: Assumptions): string[] {
  return GIGABITS.map((gigabits) => {
    const records = packetsASecond(gigabits, MIXED_BYTES) / assumed['packets in a flow record'];
    const rates = (['JSON flow record', 'Avro flow record'] as const).map((name) =>
      decimal(megabytes(records * assumed[name])),
    );
    const day = decimal((megabytes(records * assumed['JSON flow record']) * assumed.replicas * 86_400) / 1e6);
    return row(`${gigabits} Gbit/s`, whole(records), ...rates, day);
  });
}

/** Rows of the table of how long queue and spool last, for one appliance. */
export function spoolRows(assumed: Assumptions, spoolBytes: number): string[] {
  return GIGABITS.slice(0, 2).flatMap((gigabits) =>
    FRAME_BYTES.map((frame) => {
      const rate = packetsASecond(gigabits, frame) * (frame + assumed['besides a packet in the spool']);
      return row(
        `${gigabits} Gbit/s`,
        whole(frame),
        whole(megabytes(rate)),
        whole(spoolBytes / rate),
        whole((rate * 3600) / 1e9),
      );
    }),
  );
}

const megabytes = (bytes: number): number => bytes / 1e6;
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const decimal = (value: number): string =>
  value >= 100 ? whole(value) : value.toLocaleString('en-US', { maximumSignificantDigits: 2 });

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
