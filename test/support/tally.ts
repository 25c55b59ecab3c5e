import type { Missing } from './requires.ts';

/** What `npm test` reads of vitest's JSON report. */
export interface VitestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Counts checks: each step is one, each test is one. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #failures: string[] = [];
  readonly #missing = new Map<string, Missing>();

  /** Counts one step of `npm test`. */
  step(name: string, passed: boolean): void {
    if (passed) this.passed++;
    else this.#fail(name);
  }

  /**
   * Counts the tests of a run of vitest. A run may fail without a failed test: a file that does not load, an error
   * outside a test, coverage under its floor. Each such thing counts as one failure.
   */
  tests(result: VitestResult | undefined, passed: boolean): void {
    if (result === undefined) {
      this.#fail('tests (vitest wrote no report)');
      return;
    }
    this.passed += result.numPassedTests;
    this.failed += result.numFailedTests;
    this.skipped += result.numPendingTests + result.numTodoTests;
    if (result.numFailedTests > 0) this.#failures.push(`${result.numFailedTests} tests`);
    const unloaded = result.testResults.filter(
      ({ status, assertionResults }) =>
        status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
    );
    for (const _ of unloaded) this.#fail('a test file that does not load');
    if (result.numPassedTests + result.numFailedTests === 0) this.#fail('tests (none ran)');
    else if (!passed && result.numFailedTests + unloaded.length === 0) this.#fail('tests (see above)');
  }

  /** Takes the file in which tests noted what they lacked: one `Missing` a line. */
  missing(lines: string): void {
    for (const line of lines.split('\n')) {
      if (line === '') continue;
      const lack = JSON.parse(line) as Missing;
      this.#missing.set(lack.what, lack);
    }
  }

  /** The closing lines: what failed, what was not run and how to run it, and the counts as the last line. */
  summary(everythingRequired: boolean): string {
    const lacks = [...this.#missing.values()];
    if (everythingRequired) {
      for (const { what } of lacks.filter(({ weight }) => weight === 'needed'))
        this.#fail(`${what} is missing`);
    }
    const lines: string[] = [''];
    if (this.#failures.length > 0) lines.push(`Failed: ${this.#failures.join(', ')}.`);
    if (lacks.length > 0) lines.push('Not run, for want of:');
    for (const { what, remedy } of lacks) lines.push(`  ${what.padEnd(30)} ${remedy}`);
    lines.push(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`, '');
    return lines.join('\n');
  }

  #fail(name: string): void {
    this.failed++;
    this.#failures.push(name);
  }
}
