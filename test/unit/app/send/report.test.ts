import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sendReportJson, sendReportText, type SendReport } from '../../../../src/app/send/report.ts';

const report: Required<SendReport> = {
  input: { packets: 1010, bytes: 64_000 },
  ledger: { received: 1010, sent: 998, dropped: { linkType: 10, EMSGSIZE: 2 } },
  target: { address: '10.0.9.9', port: 6081, encapsulation: 'geneve+vxlan', vni: 42 },
  sentBytes: 80_000,
  truncated: 3,
  fragmented: 4,
  returned: { ECONNREFUSED: 1 },
  first: '2026-01-01T00:00:00.000000000Z',
  last: '2026-01-01T00:00:05.000000001Z',
  passes: 1,
  seconds: 2,
  packetsPerSecond: 499.4,
};

test('the text says all that the JSON says', () => {
  expect(sendReportText(report)).toMatchInlineSnapshot(`
    "Sent to 10.0.9.9 port 6081, geneve+vxlan, VNI 42.
    Input: 1010 packets, 64000 bytes

    received            1010
      sent               998
      dropped linkType    10
      dropped EMSGSIZE     2

    998 packets, 80000 bytes of UDP payload in 2.000 s: 499 packets a second.
    Cut by the packet length: 3. Sent in IP fragments: 4.
    Came back with ECONNREFUSED: 1.
    Captured from 2026-01-01T00:00:00.000000000Z to 2026-01-01T00:00:05.000000001Z.
    "
  `);
});

test('the JSON is one object on one line', () => {
  const text = sendReportJson(report);
  expect(text.indexOf('\n')).toBe(text.length - 1);
  expect(JSON.parse(text)).toEqual(report);
});

test('a run without a frame has no capture times', () => {
  const { first: _first, last: _last, ...empty } = report;
  expect(sendReportText(empty)).not.toContain('Captured');
});

test('docs/send.md explains every field', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../../docs/send.md'), 'utf8');
  const inner = (['input', 'ledger', 'target'] as const).flatMap((group) =>
    Object.keys(report[group]).map((key) => `${group}.${key}`),
  );
  const outer = Object.keys(report).filter((key) => !['input', 'ledger', 'target'].includes(key));
  for (const field of [...inner, ...outer]) expect(docs).toContain(`\`${field}\``);
});
