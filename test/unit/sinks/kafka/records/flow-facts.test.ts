import { expect, test } from 'vitest';
import { Innermost, Ports } from '../../../../../src/packet/innermost.ts';
import { FlowFacts } from '../../../../../src/sinks/kafka/records/flow-facts.ts';
import type { LaneFacts } from '../../../../../src/sinks/kafka/records/lane-facts.ts';
import { blockOf } from '../../../../../src/wire/block.ts';
import { IpProtocol } from '../../../../../src/wire/ip-protocol.ts';
import { murmur2 } from '../../../../../src/wire/murmur2.ts';
import { lane42 } from '../../../../support/packet-blocks.ts';

const EMPTY = Buffer.alloc(0);
const lane: LaneFacts = {
  id: 1,
  lane: lane42,
  key: Buffer.from('vni-42'),
  hash: 7,
  gwlbEndpoint: undefined,
  linkType: EMPTY,
};

/** Asks for flows that are told apart by a number, their source address. */
class Flows {
  readonly facts: FlowFacts;
  readonly #block = blockOf(Buffer.alloc(32));
  readonly #innermost = new Innermost();

  constructor(sha1Base64: ConstructorParameters<typeof FlowFacts>[0]) {
    this.facts = new FlowFacts(sha1Base64);
    Object.assign(this.#innermost, {
      ipVersion: 4,
      sourceAt: 0,
      destinationAt: 16,
      protocol: IpProtocol.udp,
    });
    this.#block.view.setUint32(16, 0x0a00_0001);
  }

  /** Returns the key. */
  find(number: number, fields: Partial<Innermost> = {}): Buffer {
    this.#block.view.setUint32(0, number);
    this.facts.find(this.#block, lane, Object.assign(this.#innermost, fields));
    return this.facts.key;
  }
}

const id = (): string => 'x'.repeat(28);

test('a flow is made once: the same buffers come back', () => {
  const flows = new Flows(id);
  const key = flows.find(5);
  const { communityId } = flows.facts;
  expect(key.toString()).toBe('vni-42/0.0.0.5/10.0.0.1');
  expect(communityId.toString()).toBe(`1:${id()}`);
  flows.find(6);
  expect(flows.find(5)).toBe(key);
  expect(flows.facts.communityId).toBe(communityId);
  expect(flows.facts.hash).toBe(murmur2(key));
});

test('ports, protocol, and whether ports are known tell flows apart; a key is that of the addresses', () => {
  let made = 0;
  const flows = new Flows(() => String(made++));
  const ids = [
    { ports: Ports.known, sourcePort: 1, destinationPort: 2 },
    { ports: Ports.known, sourcePort: 1, destinationPort: 3 },
    { ports: Ports.none, sourcePort: 0, destinationPort: 0 },
    { ports: Ports.unknown, sourcePort: 0, destinationPort: 0 },
    { protocol: IpProtocol.tcp },
  ].map((fields) => [flows.find(9, fields).toString(), flows.facts.communityId.toString()]);
  const key = 'vni-42/0.0.0.9/10.0.0.1';
  expect(ids).toEqual([
    [key, '1:0'],
    [key, '1:1'],
    [key, '1:2'],
    [key, '1:3'],
    [key, '1:4'],
  ]);
});

test('without IP the key is that of the lane, and there is no Community ID', () => {
  const flows = new Flows(id);
  flows.find(5);
  expect(flows.find(5, { ipVersion: 0 })).toBe(lane.key);
  expect([flows.facts.hash, flows.facts.communityId.length]).toEqual([lane.hash, 0]);
});

test('where no Community ID is wanted none is made', () => {
  const flows = new Flows(undefined);
  expect(flows.find(5).toString()).toBe('vni-42/0.0.0.5/10.0.0.1');
  expect(flows.facts.communityId.length).toBe(0);
});

// below and above the other address: what is told first, and what second
test.each([0x0000_0000, 0x0b00_0000])(
  'more flows than are remembered, from %d on: each has its own key',
  (first) => {
    const flows = new Flows(undefined);
    const numbers = Array.from({ length: 80_000 }, (_, number) => first + number);
    const text = (number: number): string => {
      const other = `${number >>> 24}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
      return first === 0 ? `vni-42/${other}/10.0.0.1` : `vni-42/10.0.0.1/${other}`;
    };
    for (const list of [numbers, numbers.toReversed()]) {
      const wrong = list.filter((number) => flows.find(number).toString() !== text(number));
      expect(wrong).toEqual([]);
    }
  },
);

/** Three flows that share two places: asked for by turns, each takes that of another one. */
function rivals(flows: Flows): number[] {
  const found = [0];
  for (let number = 1; found.length < 3; number++) {
    const keys = found.map((rival) => flows.find(rival));
    flows.find(number);
    if (found.some((rival, i) => flows.find(rival) !== keys[i])) found.push(number);
  }
  return found;
}

test('flows that take turns in one place do not make memory of others last: after a while all are forgotten', () => {
  const flows = new Flows(id);
  const others = rivals(flows);
  const bystander = 0xffff_0000;
  const key = flows.find(bystander);
  let misses = 0;
  const miss = (count: number): void => {
    for (const end = misses + count; misses < end; misses++) flows.find(others[misses % others.length] ?? 0);
  };
  miss(100_000);
  expect(flows.find(bystander)).toBe(key);
  miss(400_000);
  expect(flows.find(bystander)).not.toBe(key);
  expect(flows.find(bystander)).toEqual(key);
});
