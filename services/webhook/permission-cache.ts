// Remembers for a moment who may reference which issuer, so that a burst of requests costs one access review. Only a yes is
// remembered: a no is always asked for anew. Asks nobody itself.

import type { Requester } from '@countersign/common/csr.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';

export type Permission = 'granted' | 'missing';

/** The longest that a withdrawn permission may still let CSRs in; the signer asks again before it signs. */
export const MAX_TTL_MS = 1_000;

export class PermissionCache {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  /** Until when a yes holds, by question; the oldest first. */
  readonly #granted = new Map<string, number>();
  readonly #asking = new Map<string, Promise<Permission>>();

  /** With a `ttlMs` of 0 every question is asked, and no answer is shared. */
  constructor(ttlMs: number, clock: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** The answer that `ask` gives, or gave a moment ago to the same question, or is about to give. Rejects as `ask` does. */
  async find(ref: SignerRef, requester: Requester, ask: () => Promise<Permission>): Promise<Permission> {
    if (this.#ttlMs === 0) return ask();
    const question = keyOf(ref, requester);
    if ((this.#granted.get(question) ?? 0) > this.#clock()) return 'granted';
    const shared = this.#asking.get(question);
    if (shared === undefined) return this.#ask(question, ask);
    // A no to another's question may be older than this question.
    return (await shared) === 'granted' ? 'granted' : ask();
  }

  async #ask(question: string, ask: () => Promise<Permission>): Promise<Permission> {
    const askedAt = this.#clock();
    const answer = ask();
    this.#asking.set(question, answer);
    try {
      if ((await answer) === 'granted') this.#remember(question, askedAt + this.#ttlMs);
      return answer;
    } finally {
      this.#asking.delete(question);
    }
  }

  #remember(question: string, until: number): void {
    const now = this.#clock();
    for (const [old, end] of this.#granted) {
      if (end > now) break;
      this.#granted.delete(old);
    }
    this.#granted.delete(question);
    this.#granted.set(question, until);
  }
}

/** All that an access review asks about. */
function keyOf({ namespace, name }: SignerRef, { username, uid, groups, extra }: Requester): string {
  return JSON.stringify([namespace, name, username, uid, groups, extra]);
}
