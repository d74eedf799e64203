// How long to wait before the next try: exponential with full jitter, so that many clients of a restarted API server do
// not come back all at once. Decides no retry by itself.

import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. */
  readonly minMs: number;
  /** Upper bound of every delay, in milliseconds. */
  readonly maxMs: number;
  /** A number in [0, 1), as Math.random. */
  readonly random: () => number;
}

/** Delays of one failing thing. Full jitter: anywhere between 0 and a bound that doubles with each failure in a row. */
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
    const bound = Math.min(this.#options.maxMs, this.#options.minMs * 2 ** this.#failures);
    this.#failures += 1;
    return bound * this.#options.random();
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
