import { printable } from '../../observe/describe-error.ts';
import type { Finding, FindingStatus } from './finding.ts';

const STATUS_WIDTH = 'problem'.length + 2;

/** How many findings there are of each status. */
export function countFindings(findings: readonly Finding[]): Record<FindingStatus, number> {
  const counts = { ok: 0, note: 0, problem: 0 };
  for (const { status } of findings) counts[status]++;
  return counts;
}

/** The findings for people: one a line, its remedy below it, and how many at the end. Ends with a newline. */
export function findingsText(findings: readonly Finding[]): string {
  const nameWidth = Math.max(0, ...findings.map(({ name }) => name.length)) + 2;
  const indent = ' '.repeat(STATUS_WIDTH + nameWidth);
  const lines = findings.flatMap(({ status, name, message, remedy }) => [
    `${status.padEnd(STATUS_WIDTH)}${name.padEnd(nameWidth)}${oneLine(message)}`,
    ...(remedy === undefined ? [] : [`${indent}remedy: ${oneLine(remedy)}`]),
  ]);
  const { ok, note, problem } = countFindings(findings);
  return [...lines, '', `${amount(problem, 'problem')}, ${amount(note, 'note')}, ${ok} ok.`, ''].join('\n');
}

/** The same for programs: one JSON object and a newline. */
export function findingsJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ ...countFindings(findings), findings }, undefined, 2)}\n`;
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names of programs and folders may hold anything. */
function oneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]+/g, ' ');
}
