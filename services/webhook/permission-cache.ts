// Remembers for a moment who may reference which issuer, so that a burst of requests costs one access review. Only a yes is
// remembered: a no is always asked for anew. Asks nobody itself.

import { hash } from 'node:crypto';
import type { Requester } from '@countersign/common/csr.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';

export type Permission = 'granted' | 'missing';

/** The longest that a withdrawn permission may still let CSRs in; the signer asks again before it signs. */
export const MAX_TTL_MS = 1_000;

/** More than a replica answers while a yes holds; about 2 MB. */
const MAX_REMEMBERED = 10_000;

interface Review {
  readonly askedAt: number;
  readonly answer: Promise<Permission>;
}

export class PermissionCache {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  /** Until when a yes holds, by question; in the order of the answers. */
  readonly #granted = new Map<string, number>();
  /** The newest review of each question that is not answered yet. */
  readonly #asking = new Map<string, Review>();

  /** With a `ttlMs` of 0 every question is asked, and no answer is shared. */
  constructor(ttlMs: number, clock: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** How many answers are remembered. */
  get size(): number {
    return this.#granted.size;
  }

  /** The answer that `ask` gives, or gave a moment ago to the same question, or is about to give. Rejects as `ask` does. */
  async find(ref: SignerRef, requester: Requester, ask: () => Promise<Permission>): Promise<Permission> {
    const question = keyOf(ref, requester);
    const since = this.#clock();
    for (;;) {
      this.#forgetOld();
      if ((this.#granted.get(question) ?? 0) > this.#clock()) return 'granted';
      const review = this.#asking.get(question);
      // A yes counts from when it was asked for: a review that has taken that long is not joined.
      if (review === undefined || review.askedAt + this.#ttlMs <= this.#clock()) return this.#ask(question, ask);
      const answer = await review.answer.catch((error: unknown) => {
        // A failure is shared by who came before it was asked: each asking for itself would take that long one after the other.
        if (review.askedAt >= since) throw error;
        return 'failed' as const;
      });
      if (answer === 'granted') return answer;
      // A no to another's question may be older than this question.
      if (answer === 'missing') return ask();
      // So may a failure. Of all who joined it the first to come here asks again, and the others join that.
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

  /** From the oldest on: behind one that still holds there is none that has been over for long. */
  #forgetOld(): void {
    const now = this.#clock();
    for (const [question, until] of this.#granted) {
      if (until > now) return;
      this.#granted.delete(question);
    }
  }
}

/** All that an access review asks about. As a hash, for it may be long: groups and extra are the identity provider's choice. */
function keyOf({ kind, namespace, name }: SignerRef, { username, uid, groups, extra }: Requester): string {
  return hash('sha256', JSON.stringify([kind, namespace, name, username, uid, groups, extra]), 'base64');
}
