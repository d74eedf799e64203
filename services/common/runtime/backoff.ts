// How long to wait before the next try: exponential with jitter, so that many clients of a restarted API server do not come
// back all at once. Decides no retry by itself.

import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  /** The first delay at most, in milliseconds. */
  readonly minMs: number;
  /** Every delay at most, in milliseconds. */
  readonly maxMs: number;
  /** A number in [0, 1); Math.random if not given. */
  readonly random?: () => number;
}

/**
 * Milliseconds to wait after so many failures in a row (1, 2, …): a step that doubles with each, its upper half left to
 * chance.
 */
export function backoff(failures: number, { minMs, maxMs, random = Math.random }: BackoffOptions): number {
  const step = Math.min(minMs * 2 ** (failures - 1), maxMs);
  return Math.round((step / 2) * (1 + random()));
}

/** The delays of one failing thing. */
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

  /** Counts one more failure and gives the delay before the next try, in milliseconds. */
  next(): number {
    this.#failures += 1;
    return backoff(this.#failures, this.#options);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Waits `ms` milliseconds or until the signal, whichever is first; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Aborted: the caller's loop looks at the signal itself.
  }
}
