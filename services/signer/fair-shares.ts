// Shares a fixed number of workers between tenants so that a newcomer finds a free one. Never knows who the tenants are.

/**
 * A share may have at most so many times the workers that are free: one alone leaves a quarter of them, two leave a seventh. So
 * another's key starts at once, even while all that those in hand wait for is slow.
 */
const MOST_OF_FREE = 3;

export class FairShares {
  readonly #workers: number;
  readonly #taken = new Map<string, number>();
  #allTaken = 0;

  constructor(workers: number) {
    this.#workers = workers;
  }

  mayHaveMore(share: string): boolean {
    return (this.#taken.get(share) ?? 0) < MOST_OF_FREE * (this.#workers - this.#allTaken);
  }

  take(share: string): void {
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
