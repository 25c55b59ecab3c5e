import * as fc from 'fast-check';
import { FlowRecord, type FlowSide } from '../../src/packet/flow-record.ts';
import { makeLane } from '../../src/packet/lane.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { Ports } from '../../src/packet/innermost.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { TEST_SECONDS } from './batches.ts';

type Fields = { -readonly [Key in keyof FlowRecord]: FlowRecord[Key] };
type SideFields = { -readonly [Key in keyof FlowSide]: FlowSide[Key] };

/** What a test says of a record; the rest is that of a small UDP flow. Addresses are texts. */
export interface TestRecord
  extends Partial<
    Omit<Fields, 'source' | 'destination' | 'mirrorSource' | 'mirrorSourceVersion' | 'ipVersion'>
  > {
  readonly source?: TestSide;
  readonly destination?: TestSide;
  readonly mirrorSource?: string;
}

type TestSide = Partial<Omit<SideFields, 'address'>> & { readonly address?: string };

/** A lane of VXLAN. */
function vxlanLane(vni: number, endpoint?: readonly [high: number, low: number]) {
  const [high, low] = endpoint ?? [0, 0];
  return makeLane(endpoint === undefined ? 1 : 3, vni, endpoint !== undefined, high, low, LinkType.ethernet);
}

const LANE = vxlanLane(42);

export function flowRecord(fields: TestRecord = {}): FlowRecord {
  const { source, destination, mirrorSource = '10.0.0.9', ...rest } = fields;
  const record = new FlowRecord();
  Object.assign(record, {
    protocol: 17,
    ports: Ports.known,
    communityId: '1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=',
    lane: LANE,
    ...times(TEST_SECONDS),
    ...rest,
  });
  record.ipVersion = putSide(record.source, { address: '10.0.0.1', port: 40_000, packets: 1, ...source });
  putSide(record.destination, {
    address: record.ipVersion === 4 ? '10.0.0.2' : '2001:db8::2',
    port: 53,
    ...destination,
  });
  record.mirrorSourceVersion = putAddress(record.mirrorSource, mirrorSource);
  return record;
}

/** A record that says its number in `sequence`. */
export function numberedRecord(number: number, fields: TestRecord = {}): FlowRecord {
  return flowRecord({ ...fields, sequence: number });
}

/** Makes a record that was taken useless, as the flow table does with its own: who keeps it must have copied it. */
export function overwriteRecord(record: FlowRecord): void {
  record.sequence = 999_999;
  record.communityId = 'overwritten';
  record.source.address.fill(0xff);
  record.source.packets = 0;
}

function times(seconds: number) {
  return { startSeconds: seconds, firstSeconds: seconds, lastSeconds: seconds };
}

function putSide(side: FlowSide, { address = '', ...fields }: TestSide): number {
  Object.assign(side, fields);
  return putAddress(side.address, address);
}

function putAddress(target: Uint8Array, text: string): number {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address.`);
  target.set(address.bytes);
  return address.version;
}

/** The record that takes most bytes: every member is there, every text is of characters that are escaped. */
export function largestRecord(): FlowRecord {
  const huge = Number.MAX_SAFE_INTEGER;
  const text = '\u0001'.repeat(5000);
  const address = '1111:2222:3333:4444:5555:6666:7777:8888';
  const side = {
    address,
    port: 65_535,
    packets: huge / 2 - 0.5,
    wireBytes: huge / 2 - 0.5,
    capturedBytes: huge,
    tcpFlags: 0xff,
    retransmissions: huge,
    outOfOrder: huge,
    zeroWindows: huge,
    resets: huge,
    ackedBytes: huge,
    unseenBytes: huge,
  };
  return flowRecord({
    source: side,
    destination: side,
    mirrorSource: address,
    protocol: 254,
    communityId: text,
    idHigh: 0xffff_ffff,
    idLow: 0xffff_ffff,
    sequence: huge,
    endReason: 4,
    initiator: 2,
    lane: { ...vxlanLane(0xff_ffff, [0xffff_ffff, 0xffff_ffff]), name: text },
    direction: 1,
    startSeconds: 0xffff_ffff,
    firstSeconds: 0,
    lastSeconds: 0xffff_ffff,
    lastNanoseconds: 999_999_999,
    truncatedPackets: huge,
    badChecksums: huge,
    partialChecksums: huge,
    duplicatePackets: huge,
    fragments: huge,
    tcpState: 2,
    history: text,
    serverRttUs: huge,
    clientRttUs: huge,
    oneSided: true,
    vlanId: 4095,
    nestedPath: 0x2222,
    nestedId: 0xffff_ffff,
    names: [3, 8, 5, 4, 6, 7, ...new Array<1>(100).fill(1)].map((kind) => ({ kind: kind as 1, text })),
  });
}

const name = fc.oneof(
  fc.string({ maxLength: 300, unit: 'binary' }),
  fc.constantFrom('www.example.com', '10.1.2.3', '2001:db8::1', '999.1.2.3', '\ud800', 'ü"\\\n\u007f'),
);
const count = fc.oneof(fc.nat(), fc.nat(3), fc.maxSafeNat());
const half = fc.oneof(fc.nat(), fc.constant(0));
const addresses = (version: 4 | 6) => (version === 4 ? fc.ipV4() : fc.ipV6());
const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });

const side = (version: 4 | 6) =>
  fc.record({
    address: addresses(version),
    port: fc.integer({ min: 0, max: 65_535 }),
    packets: half,
    wireBytes: half,
    capturedBytes: count,
    tcpFlags: fc.integer({ min: 0, max: 255 }),
    retransmissions: count,
    outOfOrder: count,
    zeroWindows: count,
    resets: count,
    ackedBytes: count,
    unseenBytes: count,
  });

const lane = fc.oneof(
  fc.integer({ min: 0, max: 0xff_ffff }).map((vni) => vxlanLane(vni)),
  fc.integer({ min: 0, max: 0xff_ffff }).map((vni) => vxlanLane(vni, [vni, 7])),
  fc.constant(makeLane(2, 7, false, 0, 0, LinkType.raw)),
);

/** Any record that the flow table could fill. */
export const anyRecord: fc.Arbitrary<FlowRecord> = fc
  .constantFrom<4 | 6>(4, 6)
  .chain((version) =>
    fc.record({
      source: side(version),
      destination: side(version),
      mirrorSource: fc.oneof(fc.ipV4(), fc.ipV6()),
      initiator: fc.constantFrom(0, 1, 2),
      protocol: fc.oneof(fc.constantFrom(1, 6, 17, 58), fc.integer({ min: 0, max: 255 })),
      ports: fc.constantFrom(0, 1, 2),
      idHigh: fc.integer({ min: 0, max: 0xffff_ffff }),
      idLow: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
      sequence: fc.oneof(fc.constant(0), count),
      endReason: fc.constantFrom(0, 1, 2, 3, 4, 5),
      lane,
      direction: fc.constantFrom(0, 1, 2),
      startSeconds: seconds,
      startNanoseconds: nanoseconds,
      firstSeconds: seconds,
      firstNanoseconds: nanoseconds,
      lastSeconds: seconds,
      lastNanoseconds: nanoseconds,
      truncatedPackets: count,
      badChecksums: count,
      partialChecksums: count,
      duplicatePackets: count,
      fragments: count,
      tcpState: fc.constantFrom(0, 1, 2, 3, 4, 5, 6),
      history: fc.string({ maxLength: 40 }),
      serverRttUs: fc.oneof(fc.constant(-1), count),
      clientRttUs: fc.oneof(fc.constant(-1), count),
      oneSided: fc.boolean(),
      vlanId: fc.integer({ min: -1, max: 4095 }),
      nestedPath: fc.constantFrom(0, 1, 0x21, 0x5432, 0x345),
      nestedId: fc.integer({ min: 0, max: 0xffff_ffff }),
      names: fc.array(fc.record({ kind: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8), text: name }), {
        maxLength: 20,
      }),
    }),
  )
  .map((fields) => {
    const isIcmp = fields.protocol === 1 || fields.protocol === 58;
    if (isIcmp) {
      fields.source.port &= 255;
      fields.destination.port &= 255;
    }
    return flowRecord(fields as TestRecord);
  });
