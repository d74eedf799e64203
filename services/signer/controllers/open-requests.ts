// An index of open requests by signer name, so that an issuer change finds the requests that wait for it without a
// full scan.

export class OpenRequests {
  readonly #bySigner = new Map<string, Set<string>>();

  /** Records a change to a request: its signer name now and before; undefined where it was not open. */
  update(name: string, now: string | undefined, before: string | undefined): void {
    if (before !== undefined) this.#remove(before, name);
    if (now !== undefined) this.#add(now, name);
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
