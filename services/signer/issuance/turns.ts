// Lets a few of one tenant's slow computations run at a time. The thread pool has four threads, and tenants choose their keys:
// large ones must leave room for the others.

const AT_ONCE = 2;

export class Turns {
  #free = AT_ONCE;
  readonly #line: (() => void)[] = [];

  /** Runs `work` when its turn comes, in the order of the calls. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>(resolve => this.#line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** The turns of each tenant: a namespace, whose owner may make any number of issuers and keys. */
export class TurnsByNamespace {
  readonly #turns = new Map<string, Turns>();

  of(namespace: string): Turns {
    const turns = this.#turns.get(namespace) ?? new Turns();
    this.#turns.set(namespace, turns);
    return turns;
  }
}
