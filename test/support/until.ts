// Waits for what comes true by itself.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Far longer than anything waited for takes: a machine under load may take its time, and only what never comes true fails. Shorter
 * than the 30 s after which the runner ends a test without a word of what it waited for.
 */
const PATIENCE_MS = 20_000;

/** Asks again until it holds; fails, quoting the question, when it does not within 20 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(`never came true: ${holds.toString()}`);
    await sleep(10);
  }
}
