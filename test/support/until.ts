// Polls until a condition is true.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Much longer than any condition takes, even on a busy machine, but shorter than the 30 s test timeout, so that the
 * error names the condition.
 */
const PATIENCE_MS = 20_000;

/** Polls until `holds` returns true; fails with its source code after 20 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(`timeout waiting for: ${holds.toString()}`);
    await sleep(10);
  }
}
