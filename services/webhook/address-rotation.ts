// What waits, by the address that it came from: addresses take turns, so that one with a thousand waiting delays another by one.
// Never knows what it holds.

export class AddressRotation<T> {
  /** By source, in the order of their turns; never an empty set. */
  readonly #waiting = new Map<string, Set<T>>();

  add(source: string, item: T): void {
    const items = this.#waiting.get(source) ?? new Set();
    this.#waiting.set(source, items.add(item));
  }

  /** Of what waits no more. */
  delete(source: string, item: T): void {
    const items = this.#waiting.get(source);
    items?.delete(item);
    if (items?.size === 0) this.#waiting.delete(source);
  }

  /** The oldest of the source whose turn it is. */
  take(): T | undefined {
    for (const [source, items] of this.#waiting) {
      // To the end of the line.
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
