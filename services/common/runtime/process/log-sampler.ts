// Counts frequent occurrences, so that a log reports their number once in a while instead of each one.

export class LogSampler {
  readonly #intervalMs: number;
  readonly #clock: () => number;
  #count = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** `intervalMs`: time between two reports; `clock`: milliseconds on a monotonic clock. */
  constructor(intervalMs: number, clock: () => number) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Counts one more. Returns the number since the last report, or undefined if that is not `intervalMs` ago. */
  add(): number | undefined {
    this.#count += 1;
    const now = this.#clock();
    if (now - this.#reportedAt < this.#intervalMs) return undefined;
    const count = this.#count;
    this.#count = 0;
    this.#reportedAt = now;
    return count;
  }
}
