// Keys that wait for a worker, each of a share (one tenant's, say): shares take turns, and within one the first comes first.
// Each operation takes constant time, however many keys and shares there are. Never knows what a key or a share means.

export interface Waiting {
  readonly key: string;
  readonly share: string;
  /** Milliseconds on the queue's clock. */
  readonly addedAt: number;
}

export class FairLine {
  readonly #keys = new Map<string, Waiting>();
  /** The shares in the order of their turns, each with its keys in the order of arrival. */
  readonly #shares = new Map<string, Set<string>>();

  get size(): number {
    return this.#keys.size;
  }

  get(key: string): Waiting | undefined {
    return this.#keys.get(key);
  }

  add(waiting: Waiting): void {
    this.delete(waiting.key);
    this.#keys.set(waiting.key, waiting);
    const keys = this.#shares.get(waiting.share) ?? new Set();
    this.#shares.set(waiting.share, keys.add(waiting.key));
  }

  delete(key: string): void {
    const waiting = this.#keys.get(key);
    if (waiting === undefined) return;
    this.#keys.delete(key);
    const keys = this.#shares.get(waiting.share);
    keys?.delete(key);
    if (keys?.size === 0) this.#shares.delete(waiting.share);
  }

  /** The first key of the share whose turn it is, among those that may have one more worker. */
  take(mayHaveMore: (share: string) => boolean): Waiting | undefined {
    for (const [share, keys] of this.#shares) {
      if (!mayHaveMore(share)) continue;
      const [key = ''] = keys;
      const waiting = this.#keys.get(key);
      this.#shares.delete(share);
      this.#shares.set(share, keys);
      this.delete(key);
      return waiting;
    }
    return undefined;
  }

  clear(): void {
    this.#keys.clear();
    this.#shares.clear();
  }
}
