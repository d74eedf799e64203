// Shares the answer to a question, such as an access review or the read of a Secret, for a short time, so that many
// callers cost one call. Makes no calls itself.

/** When the question was asked, in milliseconds of the clock. */
interface Asked<T> {
  readonly askedAt: number;
  readonly answer: Promise<T>;
}

export class SharedAnswers<T> {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  /** By question, oldest first. */
  readonly #asked = new Map<string, Asked<T>>();

  /** With a `ttlMs` of 0, nothing is cached. */
  constructor(ttlMs: number, clock: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** The number of cached answers. */
  get size(): number {
    return this.#asked.size;
  }

  /**
   * The result of `ask`, or of the same question asked less than `ttlMs` ago. Rejects as `ask` does; a failure is
   * shared by the callers that wait for it, and not cached.
   */
  async find(question: string, ask: () => Promise<T>): Promise<T> {
    if (this.#ttlMs === 0) return ask();
    this.#forgetOld();
    const known = this.#asked.get(question);
    if (known !== undefined) return known.answer;
    const asked = { askedAt: this.#clock(), answer: ask() };
    this.#asked.set(question, asked);
    asked.answer.catch(() => this.#forget(question, asked));
    return asked.answer;
  }

  #forgetOld(): void {
    const oldest = this.#clock() - this.#ttlMs;
    for (const [question, asked] of this.#asked) {
      if (asked.askedAt > oldest) return;
      this.#forget(question, asked);
    }
  }

  #forget(question: string, asked: Asked<T>): void {
    if (this.#asked.get(question) === asked) this.#asked.delete(question);
  }
}
