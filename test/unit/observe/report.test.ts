import { assert, constantFrom, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import {
  ledgerBytesDifference,
  ledgerDifference,
  reportJson,
  type Report,
} from '../../../src/observe/report.ts';
import { sampleReport } from '../../support/sample-report.ts';

test('a report that adds up has no difference', () => {
  expect(ledgerDifference(sampleReport())).toBe(0);
  expect(ledgerBytesDifference(sampleReport())).toBe(0);
});

test('a packet more in any bucket is a packet less in the difference; the kernel is outside the sum', () => {
  const buckets = ['delivered', 'notTunnel', 'filtered', 'duplicate', 'held'] as const;
  assert(
    property(constantFrom(...buckets), integer({ min: -50, max: 50 }), (bucket, more) => {
      const report = sampleReport();
      const ledger = { ...report.ledger, [bucket]: report.ledger[bucket] + more };
      expect(ledgerDifference({ ...report, ledger })).toBe(0 - more);
      expect(ledgerBytesDifference({ ...report, ledgerBytes: ledger })).toBe(0 - more);
    }),
  );

  const { ledger, ...rest } = sampleReport();
  const withLedger = (changed: Partial<Report['ledger']>): Report => ({
    ...rest,
    ledger: { ...ledger, ...changed },
  });
  expect(ledgerDifference(withLedger({ received: 121 }))).toBe(1);
  expect(ledgerDifference(withLedger({ fault: { vxlanNoVni: 4, geneveVersion: 1 } }))).toBe(-1);
  expect(ledgerDifference(withLedger({ dropped: { kernel: 11, worker: 0 } }))).toBe(1);
  expect(ledgerDifference(withLedger({ dropped: { kernel: 0, worker: 1 } }))).toBe(0);
});

test('the JSON is one object on one line and says what the object says', () => {
  const text = reportJson(sampleReport());
  expect(text.indexOf('\n')).toBe(text.length - 1);
  expect(JSON.parse(text)).toEqual(sampleReport());
});
