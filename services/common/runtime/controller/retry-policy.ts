// When work that failed is tried again, by what kind of failure it was, with a jitter so that many keys do not come back together.

import { backoff } from '../backoff.ts';
import { asClassifiedError, type RetryableCode, RetryableError, type TerminalCode } from '../errors.ts';

const FIRST_MS = 250;
const LONGEST_MS = 300_000;
/** Of an API server that fails: it comes back for all at once, and nobody may wait long then. */
const LONGEST_OUTAGE_MS = 60_000;
const OUTAGE: ReadonlySet<string> = new Set<RetryableCode>(['network', 'timeout', 'server']);
/** Missing rights get granted without the object changing; an API server that has just started forbids for some seconds only. */
const FIRST_REFUSED_MS = 1_000;
/** A conflict only means that the copy was old: the next attempt reads afresh. */
const CONFLICT_MS = 10;
/** Lest keys that were told the same Retry-After come back at the same moment. */
const RETRY_AFTER_SPREAD = 0.25;

/** Milliseconds until attempt number `attempt` (1, 2, …), or undefined if only a change of the object can help. */
export function retryDelay(error: unknown, attempt: number): number | undefined {
  const classified = asClassifiedError(error);
  const minMs = firstDelay(classified.code);
  if (minMs === undefined) return undefined;
  const askedMs = classified instanceof RetryableError ? (classified.retryAfterMs ?? 0) : 0;
  // Never before the server wants it, and never in a hot loop because it said "0".
  const maxMs = OUTAGE.has(classified.code) ? LONGEST_OUTAGE_MS : LONGEST_MS;
  return Math.max(askedMs * (1 + Math.random() * RETRY_AFTER_SPREAD), backoff(attempt, { minMs, maxMs }));
}

function firstDelay(code: RetryableCode | TerminalCode): number | undefined {
  switch (code) {
    case 'invalid':
    case 'not-found':
    case 'already-exists':
      return undefined;
    case 'conflict':
      return CONFLICT_MS;
    // The other refusals may be somebody's admission webhook or proxy, which changes like a right.
    case 'forbidden':
    case 'bad-request':
    case 'too-large':
      return FIRST_REFUSED_MS;
    default:
      return FIRST_MS;
  }
}
