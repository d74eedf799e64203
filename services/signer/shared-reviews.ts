// Caches the results of access reviews briefly, negative ones too, so that many requests of one requester cost one
// review. Sends no reviews itself.

/** When the review was sent, in milliseconds of the clock, and its result. */
interface Review {
  readonly askedAt: number;
  readonly answer: Promise<boolean>;
}

export class SharedReviews {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  /** By review, oldest first. */
  readonly #reviews = new Map<string, Review>();

  /** With a `ttlMs` of 0, nothing is cached. */
  constructor(ttlMs: number, clock: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** The number of cached results. */
  get size(): number {
    return this.#reviews.size;
  }

  /**
   * The result of `ask`, or of the same review sent at most `ttlMs` ago. Rejects as `ask` does; a failure is shared by
   * the callers that wait for it, and not cached.
   */
  async find(question: string, ask: () => Promise<boolean>): Promise<boolean> {
    if (this.#ttlMs === 0) return ask();
    this.#forgetOld();
    const known = this.#reviews.get(question);
    if (known !== undefined) return known.answer;
    const review = { askedAt: this.#clock(), answer: ask() };
    this.#reviews.set(question, review);
    review.answer.catch(() => this.#forget(question, review));
    return review.answer;
  }

  #forgetOld(): void {
    const oldest = this.#clock() - this.#ttlMs;
    for (const [question, review] of this.#reviews) {
      if (review.askedAt > oldest) return;
      this.#forget(question, review);
    }
  }

  #forget(question: string, review: Review): void {
    if (this.#reviews.get(question) === review) this.#reviews.delete(question);
  }
}
