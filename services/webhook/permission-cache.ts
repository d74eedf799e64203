// Caches briefly who may reference which issuer, so that a burst of requests costs one access review. Only positive
// reviews are cached; after a negative one, the next caller sends a new review. Sends no reviews itself.

import { hash } from 'node:crypto';
import type { Requester } from '@countersign/common/csr.ts';
import { formatSignerName, type SignerRef } from '@countersign/common/signer-name.ts';

export type Permission = 'granted' | 'missing';

/** How long a revoked permission may still admit CSRs, at most; the signer reviews again before it signs. */
export const MAX_TTL_MS = 1_000;

/** More than a replica answers within the TTL; about 2 MB. */
const MAX_REMEMBERED = 10_000;

interface Review {
  readonly askedAt: number;
  readonly answer: Promise<Permission>;
}

export class PermissionCache {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  /** When each granted permission expires, by key, in the order of the answers. */
  readonly #granted = new Map<string, number>();
  /** The newest pending review for each key. */
  readonly #asking = new Map<string, Review>();

  /** With a `ttlMs` of 0, every call sends a review, and no answer is shared. */
  constructor(ttlMs: number, clock: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** The number of cached permissions. */
  get size(): number {
    return this.#granted.size;
  }

  /** The result of `ask`, or of a recent or pending review for the same key. Rejects as `ask` does. */
  async find(ref: SignerRef, requester: Requester, ask: () => Promise<Permission>): Promise<Permission> {
    const question = keyOf(ref, requester);
    const since = this.#clock();
    for (;;) {
      this.#forgetOld();
      if ((this.#granted.get(question) ?? 0) > this.#clock()) return 'granted';
      const review = this.#asking.get(question);
      // The TTL starts when the review is sent: a review that has been pending for that long is not joined.
      if (review === undefined || review.askedAt + this.#ttlMs <= this.#clock()) return this.#ask(question, ask);
      const answer = await review.answer.catch((error: unknown) => {
        // Callers that came before the review was sent share its failure: otherwise they would retry one after
        // the other.
        if (review.askedAt >= since) throw error;
        return 'failed' as const;
      });
      if (answer === 'granted') return answer;
      // The negative review of another caller may be older than this call.
      if (answer === 'missing') return ask();
      // So may a failure. The first joined caller to get here sends a new review, and the others join it.
    }
  }

  async #ask(question: string, ask: () => Promise<Permission>): Promise<Permission> {
    const review: Review = { askedAt: this.#clock(), answer: ask() };
    this.#asking.set(question, review);
    try {
      const answer = await review.answer;
      if (answer === 'granted') this.#remember(question, review.askedAt + this.#ttlMs);
      return answer;
    } finally {
      if (this.#asking.get(question) === review) this.#asking.delete(question);
    }
  }

  #remember(question: string, until: number): void {
    this.#granted.delete(question);
    this.#granted.set(question, until);
    const [oldest] = this.#granted.keys();
    if (this.#granted.size > MAX_REMEMBERED && oldest !== undefined) this.#granted.delete(oldest);
  }

  /** Stops at the first entry that is still valid: entries after it expired only a moment ago, if at all. */
  #forgetOld(): void {
    const now = this.#clock();
    for (const [question, until] of this.#granted) {
      if (until > now) return;
      this.#granted.delete(question);
    }
  }
}

/**
 * Everything that an access review contains, hashed because it may be long: the identity provider chooses groups
 * and extra.
 */
function keyOf(ref: SignerRef, { username, uid, groups, extra }: Requester): string {
  return hash('sha256', JSON.stringify([formatSignerName(ref), username, uid, groups, extra]), 'base64');
}
