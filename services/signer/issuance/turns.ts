// Lets a few of one tenant's computations run in the thread pool at a time. It has four threads, and tenants choose their keys:
// slow ones must leave room for the others.

/** What the thread pool computes for one tenant runs when its turn comes, in the order of the calls. */
export class Turns {
  #free: number;
  readonly #line: (() => void)[] = [];
  readonly #slow: Turns | undefined;

  /** `slow` is the line in which slow computations of all tenants wait as well. */
  constructor(atOnce = 2, slow?: Turns) {
    this.#free = atOnce;
    this.#slow = slow;
  }

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

  /** As run, for what takes tens of milliseconds: of all tenants together only one such computation runs at a time. */
  runSlow<T>(work: () => Promise<T>): Promise<T> {
    return this.run(() => this.#slow?.run(work) ?? work());
  }
}

/** The turns of each tenant: a namespace, whose owner may make any number of issuers and keys. */
export class TurnsByNamespace {
  readonly #slow = new Turns(1);
  readonly #signing = new Map<string, Turns>();
  readonly #loading = new Map<string, Turns>();

  /** For signatures. */
  of(namespace: string): Turns {
    const turns = this.#signing.get(namespace) ?? new Turns(2, this.#slow);
    this.#signing.set(namespace, turns);
    return turns;
  }

  /** For loading Secrets, one after the other: each may verify dozens of signatures. */
  ofLoading(namespace: string): Turns {
    const turns = this.#loading.get(namespace) ?? new Turns(1);
    this.#loading.set(namespace, turns);
    return turns;
  }
}
