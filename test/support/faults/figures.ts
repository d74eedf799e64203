// Records the figures of the fault suite: one line per promise in a file that the runner turns into a table.

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { PROMISES, type PromiseId } from '../../faults/promises.ts';

/** Environment variable with the path of that file. If it is unset, figures are only printed. */
export const FIGURES_FILE = 'FAULT_FIGURES';

export interface Figure {
  readonly id: PromiseId;
  readonly figure: string;
}

/** Fails the test if the promise is broken, and shows the figure. */
export function report(t: Pick<TestContext, 'diagnostic'>, id: PromiseId, figure: string, isKept: boolean): void {
  t.diagnostic(`${PROMISES[id]}: ${figure}`);
  const file = process.env[FIGURES_FILE];
  const line: Figure = { id, figure };
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
  assert.ok(isKept, `${PROMISES[id]}: ${figure}`);
}

/** Returns a quantile, for example p99 for 0.99: the smallest value that this share of the values does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}
