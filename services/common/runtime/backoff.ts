// How long to wait before the next attempt: exponential backoff with jitter, so that the clients of a restarted API
// server do not all return at once. Never decides whether to retry.

import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  /** Maximum first delay, in milliseconds. */
  readonly minMs: number;
  /** Maximum delay, in milliseconds. */
  readonly maxMs: number;
  /** A number in [0, 1); defaults to Math.random. */
  readonly random?: () => number;
}

/**
 * Milliseconds to wait after this many consecutive failures (1, 2, …): a step that doubles each time, with a random
 * upper half.
 */
export function backoff(failures: number, { minMs, maxMs, random = Math.random }: BackoffOptions): number {
  const step = Math.min(minMs * 2 ** (failures - 1), maxMs);
  return Math.round((step / 2) * (1 + random()));
}

/** The delays of one failing operation. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Failures since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns the delay before the next attempt, in milliseconds. */
  next(): number {
    this.#failures += 1;
    return backoff(this.#failures, this.#options);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Waits `ms` milliseconds or until the signal, whichever comes first; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Aborted: the caller's loop checks the signal.
  }
}
