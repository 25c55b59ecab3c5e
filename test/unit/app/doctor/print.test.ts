import { expect, test } from 'vitest';
import { note, ok, problem } from '../../../../src/app/doctor/finding.ts';
import { findingsJson, findingsText } from '../../../../src/app/doctor/print.ts';

const findings = [
  ok('ports', 'Free: UDP 4789.'),
  note('clock', 'Nothing keeps it.', 'Run chrony.'),
  problem('disk-write', 'No\nline \u001B[31mred.', 'Look.'),
  problem('mtu', 'Small.', 'Grow.'),
];

test('text is aligned, a remedy below its finding, control characters shown', () => {
  expect(findingsText(findings)).toBe(
    [
      'ok       ports       Free: UDP 4789.',
      'note     clock       Nothing keeps it.',
      '                     remedy: Run chrony.',
      'problem  disk-write  No line \\x1b[31mred.',
      '                     remedy: Look.',
      'problem  mtu         Small.',
      '                     remedy: Grow.',
      '',
      '2 problems, 1 note, 1 ok.',
      '',
    ].join('\n'),
  );
});

test('JSON has the counts and the findings as they are', () => {
  expect(JSON.parse(findingsJson(findings))).toEqual({ ok: 1, note: 1, problem: 2, findings });
  expect(findingsJson(findings).endsWith('}\n')).toBe(true);
});

test('nothing found is said, too', () => {
  expect(findingsText([])).toBe('\n0 problems, 0 notes, 0 ok.\n');
});
