// Counts what may come in great numbers, so that a log tells of it once in a while, with the number, and never of each.

export class SparseCount {
  readonly #intervalMs: number;
  readonly #clock: () => number;
  #count = 0;
  #givenAt = Number.NEGATIVE_INFINITY;

  /** `intervalMs` between two times that it is told; `clock` gives milliseconds and never goes back. */
  constructor(intervalMs: number, clock: () => number) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Counts one more. Gives how many there were since the last time it gave a number; undefined while that is not long ago. */
  add(): number | undefined {
    this.#count += 1;
    const now = this.#clock();
    if (now - this.#givenAt < this.#intervalMs) return undefined;
    const count = this.#count;
    this.#count = 0;
    this.#givenAt = now;
    return count;
  }
}
