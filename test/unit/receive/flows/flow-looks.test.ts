import { describe, expect, test } from 'vitest';
import type { FlowName } from '../../../../src/packet/flow-record.ts';
import { NameKind } from '../../../../src/packet/flow-record.ts';
import type { Innermost } from '../../../../src/packet/innermost.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../../../src/receive/analysis-tally.ts';
import { NameFinder } from '../../../../src/receive/flows/name-finder.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { FlowFeed, type FlowPacket } from '../../../support/flow-feed.ts';

/** Finds a name in each payload it is shown, and notes what it was asked. */
class NotedFinder extends NameFinder {
  readonly looks: { payload: string; whole: boolean; head: number }[] = [];
  readonly freed: number[] = [];
  enough = Infinity;

  constructor() {
    const none = (): never => {
      throw new Error('Not in this test.');
    };
    super({
      nameBytes: 1 << 16,
      tally: new Float64Array(ANALYSIS_TALLY_LENGTH),
      hashes: { sha256Hex: none, hmacSha256: none, aes128Ecb: none, aes128GcmDecrypt: none },
    });
  }

  override wants(_: Innermost, _head: number, looks: number): boolean {
    return looks < this.enough;
  }

  override look(
    bytes: Buffer,
    _view: DataView,
    _innermost: Innermost,
    payloadAt: number,
    payloadEnd: number,
    payloadWhole: boolean,
    head: number,
  ): number {
    this.looks.push({ payload: bytes.toString('latin1', payloadAt, payloadEnd), whole: payloadWhole, head });
    return head + 1;
  }

  override names(head: number): FlowName[] {
    return [{ kind: NameKind.protocol, text: `after ${head}` }];
  }

  override free(head: number): void {
    this.freed.push(head);
  }
}

function seeAll(packets: readonly FlowPacket[], enough = Infinity) {
  const names = new NotedFinder();
  names.enough = enough;
  const feed = new FlowFeed({ names });
  for (const packet of packets) feed.see(packet);
  return { names, feed };
}

const says = (text: string): FlowPacket => ({ payload: Buffer.from(text, 'latin1') });
const { tcp } = IpProtocol;

describe('what is looked into', () => {
  test.each([
    { name: 'UDP', packet: says('abc'), payload: 'abc', whole: true },
    { name: 'TCP', packet: { ...says('abc'), protocol: tcp }, payload: 'abc', whole: true },
    { name: 'a cut packet', packet: { ...says('abc'), wireLen: 1500 }, payload: 'abc', whole: false },
    { name: 'a first fragment', packet: { ...says('abc'), fragment: true }, payload: 'abc', whole: false },
  ])('$name', ({ packet, payload, whole }) => {
    expect(seeAll([packet]).names.looks).toEqual([{ payload, whole, head: 0 }]);
  });

  test.each([
    { name: 'without payload', packet: {} },
    { name: 'TCP without payload', packet: { protocol: tcp, flags: Flag.syn } },
    { name: 'without known ports', packet: { ...says('abc'), portsUnknown: true } },
    { name: 'SCTP', packet: { ...says('abc'), protocol: IpProtocol.sctp, ports: [1, 2] as const } },
  ])('not: $name', ({ packet }) => {
    expect(seeAll([packet]).names.looks).toEqual([]);
  });
});

test('a flow is looked into a few times, and what was found is handed on', () => {
  const { names } = seeAll(Array.from({ length: 20 }, (_, i) => says(`${i}`)));
  expect(names.looks.map(({ head }) => head)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('no more once the finder does not want it', () => {
  const { names } = seeAll(
    Array.from({ length: 5 }, () => says('x')),
    2,
  );
  expect(names.looks).toHaveLength(2);
  names.enough = Infinity;
});

test('records have the names, and the end frees them', () => {
  const { names, feed } = seeAll([says('a'), says('b')]);
  expect(feed.finish()[0]?.names).toEqual([{ kind: NameKind.protocol, text: 'after 2' }]);
  expect(names.freed).toEqual([2]);
  const other = seeAll([{}]);
  expect(other.feed.finish()[0]?.names).toEqual([]);
  expect(other.names.freed).toEqual([]);
});

test('copies are not looked into', () => {
  const names = new NotedFinder();
  const feed = new FlowFeed({ names });
  const flow = feed.see(says('a'));
  feed.see({ ...says('a'), source: '10.0.9.7', duplicateOf: flow });
  expect(names.looks).toHaveLength(1);
});

test('a flow that became an alias and then a flow again begins without names', () => {
  const names = new NotedFinder();
  const feed = new FlowFeed({ names });
  const [one, two] = ['10.0.9.1', '10.0.9.2'];
  const flow = feed.see({ ...says('a'), source: one });
  feed.see({ ...says('b'), source: two, time: 1 });
  feed.see({ ...says('c'), source: two, time: 1, duplicateOf: flow });
  // what the alias had counted is reported once it is idle, and its names are freed
  for (let time = 2; time < 70; time++) {
    feed.see({ source: one, time });
    feed.expire(time);
  }
  expect(names.freed).toEqual([1]);
  feed.see({ source: two, time: 100, duplicateOf: flow });
  feed.expire(135);
  names.looks.length = 0;
  feed.see({ ...says('d'), source: two, time: 136 });
  expect(names.looks).toEqual([{ payload: 'd', whole: true, head: 0 }]);
});
