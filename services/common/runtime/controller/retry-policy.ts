// When failed work is retried, by type of failure, with jitter so that keys do not return together.

import { backoff } from '../backoff.ts';
import { asClassifiedError, type RetryableCode, RetryableError, type TerminalCode } from '../errors.ts';

const FIRST_MS = 250;
const LONGEST_MS = 300_000;
/** For an API server that fails: it recovers for all keys at once, and none may wait long then. */
const LONGEST_OUTAGE_MS = 60_000;
const OUTAGE: ReadonlySet<string> = new Set<RetryableCode>(['network', 'timeout', 'server']);
/**
 * Permissions can be granted without a change of the object; an API server that has just started denies requests for a
 * few seconds only.
 */
const FIRST_REFUSED_MS = 1_000;
/** A conflict only means that the cached object was stale: the next attempt reads it again. */
const CONFLICT_MS = 10;
/** So that keys with the same Retry-After do not return at the same moment. */
const RETRY_AFTER_SPREAD = 0.25;

/** Milliseconds until attempt number `attempt` (1, 2, …); undefined if only a change of the object can help. */
export function retryDelay(error: unknown, attempt: number): number | undefined {
  const classified = asClassifiedError(error);
  const minMs = firstDelay(classified.code);
  if (minMs === undefined) return undefined;
  const askedMs = classified instanceof RetryableError ? (classified.retryAfterMs ?? 0) : 0;
  // Never before the server allows it, and never in a hot loop because it said "0".
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
    // The others may come from an admission webhook or a proxy, which can change like a permission.
    case 'forbidden':
    case 'bad-request':
    case 'too-large':
      return FIRST_REFUSED_MS;
    default:
      return FIRST_MS;
  }
}
