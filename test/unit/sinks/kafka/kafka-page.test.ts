import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { Mark } from '../../../../src/packet/mark.ts';
import { makeLane } from '../../../../src/packet/lane.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { headerTexts } from '../../../../src/sinks/kafka/header-names.ts';
import { kafkaDropReasons } from '../../../../src/sinks/kafka/names.ts';
import { FrameRecords } from '../../../../src/sinks/kafka/records/frame-records.ts';
import { PcapngRecords } from '../../../../src/sinks/kafka/records/pcapng-records.ts';
import { recordDropReasons } from '../../../../src/sinks/kafka/records/record-encoder.ts';
import { TOPICS_MAX } from '../../../../src/sinks/kafka/records/topic-names.ts';
import { kafkaSettings } from '../../../../src/sinks/kafka/settings.ts';
import { frame4, host, udpDatagram } from '../../../../samples/make/packets.ts';
import { headersOf, recordsOf } from '../../../support/kafka-records.ts';
import { encoderOptions, packetBlock } from '../../../support/packet-blocks.ts';

const root = join(import.meta.dirname, '../../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/kafka.md');

/** Cells of the rows of the first table below a heading. */
function rowsBelow(heading: string): string[][] {
  const from = page.indexOf(`${heading}\n`);
  expect(from).toBeGreaterThan(0);
  const table = /\n\n((?:\|.*\n)+)/.exec(page.slice(from))?.[1] ?? '';
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const code = (name: string): string => `\`${name}\``;

/** A packet of which all is said that can be said. */
const packet = {
  frame: frame4(host(1, '10.0.0.1', '::1'), host(2, '10.0.0.2', '::2'), udpDatagram(1, 2, Buffer.alloc(9))),
  lane: makeLane(3, 7, true, 1, 2, 1),
  mirrorSource: '10.0.1.10',
  wireLen: 1000,
  transportVerdict: Verdict.valid,
  marks: Mark.repaired,
};

test.each([
  ['frame', 1, FrameRecords],
  ['pcapng', 2, PcapngRecords],
])('the headers of %s are those of the table', (_encoding, column, Records) => {
  const encoded = new Records('t', encoderOptions()).encode([packetBlock([packet])], new Map([['t', 1]]));
  const [record] = recordsOf(encoded);
  const rows = rowsBelow('### Headers');
  expect(rows.map(([name]) => name)).toEqual([...headerTexts.values()].map(code));
  expect(rows.filter((row) => row[column] === 'yes').map(([name]) => name)).toEqual(
    Object.keys(headersOf(record!)).map(code),
  );
});

test('every reason for a drop is explained, and no other', () => {
  const reasons = new Set(['queueFull', ...kafkaDropReasons, ...recordDropReasons].map(code));
  expect(new Set(rowsBelow('## What is dropped, and why').map(([name]) => name))).toEqual(reasons);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
}

const schemaAt = (path: readonly string[]): Schema | undefined =>
  path.reduce<Schema | undefined>((of, name) => of?.properties?.[name], kafkaSettings as Schema);

function paths(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[...path]];
  return Object.entries(value).flatMap(([key, member]) => paths(member, [...path, key]));
}

test('the settings of the example exist', () => {
  const { sinks } = parse(/```yaml\n([^]*?)```/.exec(page)?.[1] ?? '') as { sinks: { bus: object } };
  const { kind, ...rest } = sinks.bus as { kind: string };
  expect(kind).toBe('kafka');
  expect(paths(rest).filter((path) => schemaAt(path) === undefined)).toEqual([]);
});

test('the settings that it names exist', () => {
  const groups = Object.entries(kafkaSettings.properties).filter(([, of]) => 'properties' in of);
  const pattern = new RegExp(`\`((?:${groups.map(([name]) => name).join('|')})\\.[A-Za-z.]+)`, 'g');
  const named = [...page.matchAll(pattern)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => schemaAt(name.split('.')) === undefined)).toEqual([]);
});

test('numbers are those of the program', () => {
  const { batchBytes } = kafkaSettings.properties as Readonly<Record<string, Schema>>;
  expect(page).toContain(`is enough for ${Number(batchBytes?.default).toLocaleString('en-US')}`);
  expect(page).toContain(`once there are ${TOPICS_MAX.toLocaleString('en-US')} topics`);
});

/** As GitHub makes the fragment of a heading. */
const fragment = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\d _-]/gu, '')
    .replaceAll(' ', '-');

test.each(['docs/kafka.md', 'docs/capacity.md', 'samples/consumers/README.md'])(
  'links of %s lead somewhere',
  (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(1);
    const dead = links.filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : join(path, '..', file);
      if (!existsSync(join(root, target))) return true;
      const headings = anchor === undefined ? [] : [...read(target).matchAll(/^#+ (.+)$/gm)];
      return anchor !== undefined && !headings.some(([, heading = '']) => fragment(heading) === anchor);
    });
    expect(dead).toEqual([]);
  },
);
