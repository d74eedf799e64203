// Says when work that failed is tried again, by what kind of failure it was. Pure but for the jitter that keeps many keys
// from coming back together.

import { backoff } from '@countersign/common/runtime/backoff.ts';
import { type RetryableCode, RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';

const FIRST_MS = 250;
const LONGEST_MS = 300_000;
/** Missing rights get granted without the object changing, but not within a second. */
const FIRST_FORBIDDEN_MS = 5_000;
/** A conflict only means that the copy was old: the next attempt reads afresh. */
const CONFLICT_MS = 10;

/** Milliseconds until attempt number `attempt` (1, 2, …), or undefined if only a change of the object can help. */
export function retryDelay(error: unknown, attempt: number): number | undefined {
  if (error instanceof TerminalError) return undefined;
  if (!(error instanceof RetryableError)) return backoff(attempt, { minMs: FIRST_MS, maxMs: LONGEST_MS });
  // Never before the server wants it, and never in a hot loop because it said "0".
  return Math.max(error.retryAfterMs ?? 0, backoff(attempt, { minMs: firstDelay(error.code), maxMs: LONGEST_MS }));
}

function firstDelay(code: RetryableCode): number {
  if (code === 'conflict') return CONFLICT_MS;
  return code === 'forbidden' ? FIRST_FORBIDDEN_MS : FIRST_MS;
}
