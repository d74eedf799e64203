// Shares the answers of access reviews for a moment, the negative ones too, so that many requests of one requester cost
// one review. Asks nobody itself.

/** When it was asked, in milliseconds of the clock, and the answer. */
interface Review {
  readonly askedAt: number;
  readonly answer: Promise<boolean>;
}

export class SharedReviews {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  /** By question, oldest first. */
  readonly #reviews = new Map<string, Review>();

  /** With a `ttlMs` of 0 no answer is shared. */
  constructor(ttlMs: number, clock: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** How many answers are remembered. */
  get size(): number {
    return this.#reviews.size;
  }

  /**
   * The answer to the question, asked for at most `ttlMs` ago. Rejects as `ask` does; a failure is shared by those who
   * wait for it.
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
