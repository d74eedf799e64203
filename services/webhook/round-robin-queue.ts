// A queue that serves source addresses round-robin, so that an address with a thousand waiting items delays another
// address by one item. Knows nothing about the items.

export class RoundRobinQueue<T> {
  /** By source, in round-robin order; a set is never empty. */
  readonly #waiting = new Map<string, Set<T>>();

  add(source: string, item: T): void {
    const items = this.#waiting.get(source) ?? new Set();
    this.#waiting.set(source, items.add(item));
  }

  /** Removes an item that no longer waits. */
  delete(source: string, item: T): void {
    const items = this.#waiting.get(source);
    items?.delete(item);
    if (items?.size === 0) this.#waiting.delete(source);
  }

  /** Removes and returns the oldest item of the next source. */
  take(): T | undefined {
    for (const [source, items] of this.#waiting) {
      // Move the source to the end of the rotation.
      this.#waiting.delete(source);
      const [item] = items;
      if (item === undefined) continue;
      items.delete(item);
      if (items.size > 0) this.#waiting.set(source, items);
      return item;
    }
    return undefined;
  }
}
