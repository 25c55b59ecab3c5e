import { describe, expect, test } from 'vitest';
import { prettyLine } from '../../../src/observe/pretty-line.ts';

const TIME = '2026-11-21T04:00:00.123Z';

function line(fields: object, colour = false): string {
  return prettyLine(JSON.stringify({ level: 'info', time: TIME, ...fields, msg: 'Said.' }), colour);
}

describe('one line for people', () => {
  test.each([
    { name: 'no field', fields: {}, pairs: '' },
    {
      name: 'plain values',
      fields: { port: 4789, on: true, none: null, lane: 'vni-7' },
      pairs: ' port=4789 on=true none=null lane=vni-7',
    },
    { name: 'a space', fields: { text: 'two words' }, pairs: ' text="two words"' },
    { name: 'an equals sign or a quote', fields: { a: 'x=y', b: '"' }, pairs: ' a="x=y" b="\\""' },
    { name: 'nothing in it', fields: { a: '' }, pairs: ' a=""' },
    { name: 'a list', fields: { vnis: [1, 2] }, pairs: ' vnis=[1,2]' },
    {
      name: 'fields of fields',
      fields: { error: { code: 'X', context: { port: 1 } } },
      pairs: ' error.code=X error.context.port=1',
    },
    {
      name: 'control characters',
      fields: { a: '\u001b[2J', '\u001b': 1, b: 'x\u009by' },
      pairs: ' a="\\u001b[2J" \\x1b=1 b="x\\x9by"',
    },
  ])('$name', ({ fields, pairs }) => {
    expect(line(fields)).toBe(`${TIME} INFO  Said.${pairs}\n`);
  });
});

test('a stack follows, without its first line', () => {
  const text = line({ error: { message: 'm', stack: 'Error: m\n    at a (b.ts:1:2)\n    at c' } });
  expect(text).toBe(`${TIME} INFO  Said. error.message=m\n    at a (b.ts:1:2)\n    at c\n`);
});

test('with colour the words are the same', () => {
  const text = line({ a: 1 }, true);
  expect(text).toContain('\u001b[32mINFO');
  const colours = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
  expect(text.replaceAll(colours, '')).toBe(line({ a: 1 }));
});
