// Schedules thread pool computations: a limited number per tenant run at a time, and slow ones pause while others are
// active. Tenants choose their keys and certificates, so slow ones must leave threads and CPU time to others.

/** Returns milliseconds. */
type Clock = () => number;

/** Runs a limited number of computations at a time, in the order of the calls. */
class Turns {
  #free: number;
  readonly #clock: Clock;
  readonly #line: (() => void)[] = [];

  constructor(atOnce: number, clock: Clock) {
    this.#free = atOnce;
    this.#clock = clock;
  }

  /**
   * Runs `work` when it is its turn. The next one also waits for the milliseconds that `restAfter` returns for the
   * duration of this one.
   */
  async run<T>(work: () => Promise<T>, restAfter: (tookMs: number) => number = () => 0): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>(resolve => this.#line.push(resolve));
    const startedAt = this.#clock();
    try {
      return await work();
    } finally {
      const restMs = restAfter(this.#clock() - startedAt);
      if (restMs > 0) setTimeout(() => this.#pass(), restMs);
      else this.#pass();
    }
  }

  #pass(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** Schedules signatures with one key. */
export interface SigningTurns {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Like run, for computations of tens of milliseconds: only one runs at a time across all tenants. */
  runSlow<T>(work: () => Promise<T>): Promise<T>;
}

/** The Secret that a computation is for. */
export interface TurnOwner {
  readonly namespace: string;
  readonly name: string;
}

/**
 * How long a slow computation pauses while others are active, as a multiple of its duration: it gets a quarter of a
 * core. Next to RSA-8192 signatures, another issuer's p99 was 3.7 times its value under the same API server load alone
 * with no pause, 1.8 times with a pause as long as the signature, and 1.2 times with this one (measured on two cores).
 */
const REST = 3;
/** Most loads take 1 to 5 ms and need no pause; verifying 64 signatures takes 8 ms with P-256 and 85 ms with P-521. */
const SLOW_LOAD_MS = 10;
/** Limits the pause of a process that was suspended or starved of CPU time. */
const MAX_REST_MS = 1_000;
/** How long after its last use a Secret counts as in use. */
const IN_USE_MS = 1_000;

/** Schedules by tenant, that is, by namespace: its owner may create any number of issuers and keys. */
export class TurnsByNamespace {
  readonly #clock: Clock;
  readonly #slow: Turns;
  readonly #signing = new Map<string, Turns>();
  readonly #loading = new Map<string, Turns>();
  /** The Secret used last, and the last one used before that. */
  #last: Use | undefined;
  #lastOther: Use | undefined;

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#slow = new Turns(1, clock);
  }

  /** Records that a request or an issuer uses this Secret. */
  noteUse({ namespace, name }: TurnOwner): void {
    const secret = `${namespace}/${name}`;
    if (this.#last?.secret !== secret) this.#lastOther = this.#last;
    this.#last = { secret, at: this.#clock() };
  }

  /** Schedules signatures with the key of one Secret. */
  ofSigning(owner: TurnOwner): SigningTurns {
    const turns = this.#turnsOf(this.#signing, owner, 2);
    return {
      run: work => turns.run(work),
      runSlow: work => turns.run(() => this.#slow.run(work, tookMs => this.#restAfter(owner, tookMs))),
    };
  }

  /** Loads the Secrets of a namespace one at a time: each may verify dozens of signatures. */
  load<T>(owner: TurnOwner, work: () => Promise<T>): Promise<T> {
    const restAfter = (tookMs: number) => (tookMs < SLOW_LOAD_MS ? 0 : this.#restAfter(owner, tookMs));
    return this.#turnsOf(this.#loading, owner, 1).run(work, restAfter);
  }

  #restAfter({ namespace, name }: TurnOwner, tookMs: number): number {
    const other = this.#last?.secret === `${namespace}/${name}` ? this.#lastOther : this.#last;
    const isAlone = other === undefined || this.#clock() - other.at >= IN_USE_MS;
    return isAlone ? 0 : Math.min(REST * tookMs, MAX_REST_MS);
  }

  #turnsOf(all: Map<string, Turns>, { namespace }: TurnOwner, atOnce: number): Turns {
    const turns = all.get(namespace) ?? new Turns(atOnce, this.#clock);
    all.set(namespace, turns);
    return turns;
  }
}

interface Use {
  readonly secret: string;
  readonly at: number;
}
