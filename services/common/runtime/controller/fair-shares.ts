// Shares workers between tenants so that a new tenant finds a free one and is not slowed down by those in use. Never
// knows the tenants.

/**
 * The maximum workers of a share, as a multiple of the free ones: one share alone leaves a quarter free, two leave a
 * seventh. So the key of another share starts at once, even if everything in progress waits for something slow.
 */
const MOST_OF_FREE = 3;

/**
 * If several shares are active, each has at most this part of the workers: calls of the others to the API server wait
 * behind what one has in progress. CSRs at 20 a second, beside 10 000 waiting pods of another share, took 33, 22 and 14
 * ms at the median and 101, 59 and 49 ms at the 99th percentile with a quarter, an eighth and a sixteenth, while 348,
 * 318 and 285 pods a second got their certificates (one run of each, two cores).
 */
const PART_AMONG_SEVERAL = 1 / 8;

/** How long several shares count as active after one of them took its turn. */
const SEVERAL_FOR_MS = 1_000;

export class FairShares {
  readonly #clock: () => number;
  readonly #taken = new Map<string, number>();
  #allTaken = 0;
  #last: string | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;

  /** `clock`: milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** `workers`: the current number of workers. */
  mayHaveMore(share: string, workers: number): boolean {
    const taken = this.#taken.get(share) ?? 0;
    const areSeveral = this.#clock() - this.#changedAt < SEVERAL_FOR_MS;
    if (areSeveral && taken >= Math.ceil(workers * PART_AMONG_SEVERAL)) return false;
    return taken < MOST_OF_FREE * (workers - this.#allTaken);
  }

  take(share: string): void {
    if (this.#last !== undefined && this.#last !== share) this.#changedAt = this.#clock();
    this.#last = share;
    this.#allTaken += 1;
    this.#taken.set(share, (this.#taken.get(share) ?? 0) + 1);
  }

  give(share: string): void {
    this.#allTaken -= 1;
    const left = (this.#taken.get(share) ?? 1) - 1;
    if (left === 0) this.#taken.delete(share);
    else this.#taken.set(share, left);
  }
}
