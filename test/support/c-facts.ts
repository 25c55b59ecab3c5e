import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Compiles a C program, and calls `work` with the path of what came out. */
export function cProgram<T>(text: string, work: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-c-'));
  try {
    const path = join(folder, 'program');
    execFileSync('gcc', ['-x', 'c', '-', '-o', path], { input: text });
    return work(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * What a C compiler says of the header files of this machine.
 *
 * @param headers as in `linux/if_packet.h`, included in this order
 * @param expressions integers in C, as in `sizeof(struct iovec)`
 * @returns their values, by expression
 */
export function cFacts(headers: readonly string[], expressions: readonly string[]): Map<string, number> {
  const included = ['stdio.h', 'stddef.h', ...headers].map((header) => `#include <${header}>`);
  const printed = expressions.map((expression) => `  printf("%lld\\n", (long long)(${expression}));`);
  const lines = ['#define _GNU_SOURCE', ...included, 'int main(void) {', ...printed, '  return 0;', '}', ''];
  const told = cProgram(lines.join('\n'), (path) => execFileSync(path, { encoding: 'utf8' }));
  const values = told.trim().split('\n').map(Number);
  return new Map(expressions.map((expression, i) => [expression, values[i] ?? Number.NaN]));
}

/** A structure whose size and offsets are to be compared. */
export interface StructLayout {
  readonly header: string;
  readonly name: string;
  readonly bytes: number;
  readonly at: Readonly<Record<string, number>>;
}

/** The layout as the header has it, with the fields of `layout`. */
export function cLayout(layout: StructLayout, headersBefore: readonly string[] = []): StructLayout {
  const { header, name, at } = layout;
  const size = `sizeof(${name})`;
  const offset = (field: string): string => `offsetof(${name}, ${field})`;
  const facts = cFacts([...headersBefore, header], [size, ...Object.keys(at).map(offset)]);
  const fields = Object.keys(at).map((field) => [field, facts.get(offset(field)) ?? Number.NaN]);
  return { header, name, bytes: facts.get(size) ?? Number.NaN, at: Object.fromEntries(fields) };
}
