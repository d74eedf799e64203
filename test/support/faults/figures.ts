// What the fault suite measures: one line for each promise, appended to a file that the runner turns into a table.

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { PROMISES, type PromiseId } from '../../faults/promises.ts';

/** The environment variable with the path of that file; without it figures are only printed. */
export const FIGURES_FILE = 'FAULT_FIGURES';

export interface Figure {
  readonly id: PromiseId;
  readonly figure: string;
}

/** Fails the test when the promise is broken, with the figure that broke it. */
export function report(t: Pick<TestContext, 'diagnostic'>, id: PromiseId, figure: string, isKept: boolean): void {
  t.diagnostic(`${PROMISES[id]}: ${figure}`);
  const file = process.env[FIGURES_FILE];
  const line: Figure = { id, figure };
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
  assert.ok(isKept, `${PROMISES[id]}: ${figure}`);
}

/** The smallest value that at least this part of the values does not exceed, as in p99 for 0.99. */
export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}
