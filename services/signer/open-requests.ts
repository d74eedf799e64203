// Which CSRs may still have to be signed, by signer name, so that a change to an issuer finds those that wait for it without
// a look at all others.

import type { CsrRecord } from './csr-record.ts';

export class OpenRequests {
  readonly #bySigner = new Map<string, Set<string>>();

  /** Takes note of one change to one CSR; `now` or `before` is undefined where it did not exist. */
  update(name: string, now: CsrRecord | undefined, before: CsrRecord | undefined): void {
    if (before !== undefined && before.state !== 'done') this.#remove(before.spec.signerName, name);
    if (now !== undefined && now.state !== 'done') this.#add(now.spec.signerName, name);
  }

  namedBy(signerName: string): Iterable<string> {
    return this.#bySigner.get(signerName) ?? [];
  }

  *all(): Iterable<string> {
    for (const names of this.#bySigner.values()) yield* names;
  }

  #add(signerName: string, name: string): void {
    const names = this.#bySigner.get(signerName);
    if (names === undefined) this.#bySigner.set(signerName, new Set([name]));
    else names.add(name);
  }

  #remove(signerName: string, name: string): void {
    const names = this.#bySigner.get(signerName);
    names?.delete(name);
    if (names?.size === 0) this.#bySigner.delete(signerName);
  }
}
