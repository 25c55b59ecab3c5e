import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameKind } from '../../../../src/packet/flow-record.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { NameArena, NAMES_MAX, NO_HEAD } from '../../../../src/receive/flows/name-arena.ts';
import { NameText } from '../../../../src/wire/name-text.ts';

const CELL_LEN = 64;

function makeArena(nameBytes: number) {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  return { arena: new NameArena(nameBytes, tally), tally };
}

function textOf(text: string): NameText {
  const name = new NameText();
  name.putAscii(text);
  return name;
}

test('names come back in the order in which they were added, each once', () => {
  const { arena } = makeArena(4096);
  let head = NO_HEAD;
  for (const text of ['a', 'b'.repeat(255), 'a', 'c'.repeat(100), 'b'.repeat(255)]) {
    head = arena.add(head, NameKind.dnsQuestion, textOf(text));
  }
  head = arena.add(head, NameKind.dnsAnswer, textOf('a'));
  head = arena.add(head, NameKind.dnsAnswer, textOf(''));
  expect(arena.names(head)).toEqual([
    { kind: NameKind.dnsQuestion, text: 'a' },
    { kind: NameKind.dnsQuestion, text: 'b'.repeat(255) },
    { kind: NameKind.dnsQuestion, text: 'c'.repeat(100) },
    { kind: NameKind.dnsAnswer, text: 'a' },
    { kind: NameKind.dnsAnswer, text: '' },
  ]);
  expect(arena.names(NO_HEAD)).toEqual([]);
});

test('a name that is too long, or one too many, is counted and not kept', () => {
  const { arena, tally } = makeArena(1 << 16);
  expect(arena.add(NO_HEAD, NameKind.ja4, textOf('a'.repeat(256)))).toBe(NO_HEAD);
  expect(tally[AnalysisTally.namesDropped]).toBe(1);
  let head = NO_HEAD;
  for (let i = 0; i < NAMES_MAX + 3; i++) head = arena.add(head, NameKind.dnsAnswer, textOf(`name ${i}`));
  expect(arena.names(head).map(({ text }) => text)).toEqual(
    Array.from({ length: NAMES_MAX }, (_, i) => `name ${i}`),
  );
  expect(tally[AnalysisTally.namesDropped]).toBe(4);
});

test('what the finder remembers of a flow is its own, and begins at nothing', () => {
  const { arena } = makeArena(1024);
  const first = arena.add(NO_HEAD, NameKind.protocol, textOf('tls'));
  const second = arena.add(NO_HEAD, NameKind.protocol, textOf('dns'));
  arena.setState(first, 255);
  arena.setAssembly(first, 64);
  expect([arena.state(second), arena.assembly(second)]).toEqual([0, 0]);
  expect([arena.state(first), arena.assembly(first)]).toEqual([255, 64]);
  expect(arena.names(first)).toEqual([{ kind: NameKind.protocol, text: 'tls' }]);
  arena.free(first);
  const third = arena.add(NO_HEAD, NameKind.protocol, textOf('quic'));
  expect(third).toBe(first);
  expect([arena.state(third), arena.assembly(third)]).toEqual([0, 0]);
});

test('a full memory keeps what it has, and has room again when a flow ends', () => {
  const { arena, tally } = makeArena(4 * CELL_LEN);
  const first = arena.add(NO_HEAD, NameKind.dnsQuestion, textOf('a'));
  const second = arena.add(NO_HEAD, NameKind.dnsQuestion, textOf('b'));
  expect(arena.add(first, NameKind.dnsQuestion, textOf('x'.repeat(112)))).toBe(first);
  expect(arena.add(NO_HEAD, NameKind.dnsQuestion, textOf('c'.repeat(53)))).toBe(NO_HEAD);
  expect(arena.names(first)).toHaveLength(1);
  expect(tally[AnalysisTally.namesDropped]).toBe(2);
  expect(tally[AnalysisTally.nameBytes]).toBe(2 * CELL_LEN);
  arena.free(second);
  arena.free(NO_HEAD);
  expect(arena.add(first, NameKind.dnsQuestion, textOf('x'.repeat(112)))).toBe(first);
  expect(arena.names(first)).toHaveLength(2);
  expect(tally[AnalysisTally.nameBytes]).toBe(3 * CELL_LEN);
});

test.each([0, 1, 63, 64, 127])('%i bytes are no room', (nameBytes) => {
  const { arena, tally } = makeArena(nameBytes);
  expect(arena.add(NO_HEAD, NameKind.ja4, textOf('a'))).toBe(NO_HEAD);
  expect(tally[AnalysisTally.nameBytes]).toBe(0);
});

/** Cells that a flow with these names takes. */
function cellsOf(names: readonly string[]): number {
  const bytes = names.reduce((sum, name) => sum + 2 + name.length, 0);
  return 1 + Math.max(0, Math.ceil((bytes - 54) / 60));
}

test('whatever is added and freed: names and room are those of a model', () => {
  const add = fc.record({ flow: fc.nat(5), length: fc.oneof(fc.nat(8), fc.nat(300)), letter: fc.nat(3) });
  const step = fc.oneof({ weight: 4, arbitrary: add }, { weight: 1, arbitrary: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const cells = 40;
      const { arena, tally } = makeArena((cells + 1) * CELL_LEN);
      const heads = Array.from({ length: 6 }, () => NO_HEAD);
      const model = Array.from({ length: 6 }, (): string[] => []);
      const taken = () => model.reduce((sum, names) => sum + (names.length > 0 ? cellsOf(names) : 0), 0);
      let dropped = 0;
      for (const one of steps) {
        if (typeof one === 'number') {
          arena.free(heads[one]!);
          heads[one] = NO_HEAD;
          model[one] = [];
        } else {
          const name = 'abcd'.charAt(one.letter).repeat(one.length);
          const names = model[one.flow]!;
          const before = names.length > 0 ? cellsOf(names) : 0;
          const hasRoom = taken() - before + cellsOf([...names, name]) <= cells;
          if (name.length <= 255 && names.includes(name)) {
            // it is there
          } else if (name.length > 255 || names.length === NAMES_MAX || !hasRoom) dropped++;
          else names.push(name);
          heads[one.flow] = arena.add(heads[one.flow]!, NameKind.dnsAnswer, textOf(name));
        }
        expect(tally[AnalysisTally.nameBytes]).toBe(taken() * CELL_LEN);
        expect(tally[AnalysisTally.namesDropped]).toBe(dropped);
      }
      heads.forEach((head, flow) => {
        expect(arena.names(head).map(({ text }) => text)).toEqual(model[flow]);
        arena.free(head);
      });
      expect(tally[AnalysisTally.nameBytes]).toBe(0);
    }),
  );
});
