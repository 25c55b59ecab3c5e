import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { frame4, host, tcpSegment } from '../../../../samples/make/packets.ts';
import { PACKET_HEAD_BYTES, packetEntryBytes } from '../../../../src/format/packet-block.ts';
import { makeLane } from '../../../../src/packet/lane.ts';
import { Mark } from '../../../../src/packet/mark.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { FrameRecords } from '../../../../src/sinks/kafka/records/frame-records.ts';
import { PcapngRecords } from '../../../../src/sinks/kafka/records/pcapng-records.ts';
import { kafkaSettings } from '../../../../src/sinks/kafka/settings.ts';
import {
  type Assumptions,
  clusterRows,
  flowRows,
  rateRows,
  sizeRows,
  spoolRows,
} from '../../../support/capacity-model.ts';
import { batchBytes } from '../../../support/kafka-records.ts';
import { encoderOptions, packetBlock } from '../../../support/packet-blocks.ts';

const page = readFileSync(new URL('../../../../docs/capacity.md', import.meta.url), 'utf8');

const number = (text: string): number => Number(text.replaceAll(',', ''));
const listed = page.slice(page.indexOf('## What is assumed'), page.indexOf('**The payload'));
const assumed = Object.fromEntries(
  [...listed.matchAll(/^\| ([^|]+) \| ([\d,]+)(?: [^|]+)? \|/gm)].map(([, name = '', value = '']) => [
    name,
    number(value),
  ]),
) as Assumptions;

const settings = kafkaSettings.properties;
const defaultOf = (setting: unknown): unknown => (setting as { default?: unknown }).default;
const spoolBytes = Number(defaultOf(settings.spool.properties.maxBytes));

/** Tables by the beginning of their heading. */
function rowsBelow(heading: string): string[] {
  const from = page.indexOf(heading);
  expect(from).toBeGreaterThan(0);
  return (/\n\n((?:\|.*\n)+)/.exec(page.slice(from))?.[1] ?? '').trim().split('\n').slice(2);
}

test.each([
  ['## Bytes a packet', sizeRows(assumed)],
  ['## Records and megabytes a second', rateRows(assumed)],
  ['## Disk, partitions and brokers', clusterRows(assumed)],
  ['## Flow records', flowRows(assumed)],
  ['## How long the spool lasts', spoolRows(assumed, spoolBytes / 2)],
])('%s follows from what is assumed', (heading, rows) => {
  expect(rowsBelow(heading)).toEqual(rows);
});

/** What a TCP packet of so many bytes takes on its way, as the page describes it. */
function bytesOf(Records: typeof FrameRecords | typeof PcapngRecords, packets: number, frameBytes: number) {
  const [a, b] = [host(1, '10.0.0.10', '::1'), host(2, '10.1.0.20', '::2')];
  const data = Buffer.alloc(frameBytes - assumed['headers in a frame']);
  const fields = {
    sourcePort: 443,
    destinationPort: 40_000,
    sequence: 1,
    acknowledgement: 1,
    flags: 16,
    data,
  };
  const packet = {
    frame: frame4(a, b, tcpSegment(fields)),
    lane: makeLane(1, 4242, false, 0, 0, 1),
    mirrorSource: '10.0.0.10',
    transportVerdict: Verdict.valid,
    marks: Mark.egress,
  };
  expect(packet.frame.length).toBe(frameBytes);
  const block = packetBlock(
    Array.from({ length: packets }, (_, index) => ({ ...packet, nanoseconds: index * 100_000 })),
  );
  const { batches } = new Records('t', encoderOptions()).encode([block], new Map([['t', 1]]));
  return batches.reduce((sum, batch) => sum + batchBytes(batch), 0);
}

test('a record has so many bytes besides its frame', () => {
  const bytes = (bytesOf(FrameRecords, 1100, 700) - bytesOf(FrameRecords, 100, 700)) / 1000;
  expect(Math.abs(bytes - 700 - assumed['besides a frame'])).toBeLessThanOrEqual(1);
});

test('a pcapng has so many bytes besides each packet, and some of its own', () => {
  for (const size of [700, 701, 702, 703]) {
    const bytes = (bytesOf(PcapngRecords, 1100, size) - bytesOf(PcapngRecords, 100, size)) / 1000;
    expect(Math.abs(bytes - size - assumed['besides a packet in pcapng'])).toBeLessThan(2.5);
  }
  const own = bytesOf(PcapngRecords, 1, 700) - 700 - assumed['besides a packet in pcapng'];
  expect(own).toBeGreaterThan(200);
  expect(own).toBeLessThan(400);
});

test('the parts of a record add up to what it has besides its frame', () => {
  const rows = rowsBelow('### What a record takes');
  const [total = 0, ...parts] = rows
    .map((row) => number(/([\d,]+)(?:\*\*)? \|$/.exec(row)?.[1] ?? ''))
    .toReversed();
  expect(total).toBe(assumed['besides a frame']);
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
});

test('what stands before a packet in the spool is that of the block', () => {
  expect(page).toContain(`${PACKET_HEAD_BYTES} before the frame, and padding`);
  for (const size of [700, 701, 702, 703]) {
    expect(Math.abs(packetEntryBytes(size) - size - assumed['besides a packet in the spool'])).toBeLessThan(
      3,
    );
  }
});

test('defaults that it names are those of the settings', () => {
  expect(page).toContain(`\`lingerMs\` (${String(defaultOf(settings.lingerMs))})`);
  expect(page).toContain(
    `\`batchBytes\` (${Number(defaultOf(settings.batchBytes)).toLocaleString('en-US')})`,
  );
  expect(spoolBytes).toBe(10 * 2 ** 30);
  expect(defaultOf(settings.createTopics.properties.replication)).toBe(assumed.replicas);
  const step = Number(defaultOf(settings.createTopics.properties.partitions));
  expect(page).toContain(`up to the next multiple of ${step}`);
  const [small, usual] = [
    `${128 + assumed['besides a packet in pcapng']}`,
    `${700 + assumed['besides a packet in pcapng']}`,
  ];
  expect(page).toContain(
    `\`${small} / ${usual}\` = ${Math.round((100 * Number(small)) / Number(usual))} % of itself`,
  );
});
