// Shares out what is computed in the thread pool: a few of one tenant's computations run at a time, and slow ones rest while
// others are at work. Tenants choose their keys and certificates: the slow ones must leave threads and CPU time to the others.

/** Gives milliseconds. */
type Clock = () => number;

/** A few computations run at a time, in the order of the calls. */
class Turns {
  #free: number;
  readonly #clock: Clock;
  readonly #line: (() => void)[] = [];

  constructor(atOnce: number, clock: Clock) {
    this.#free = atOnce;
    this.#clock = clock;
  }

  /** The next one waits, in addition, for as many milliseconds as `restAfter` makes of those that this one took. */
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

/** The turns of signatures with one key. */
export interface SigningTurns {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** As run, for what takes tens of milliseconds: of all tenants together only one such computation runs at a time. */
  runSlow<T>(work: () => Promise<T>): Promise<T>;
}

/** The Secret that something is computed for. */
export interface TurnOwner {
  readonly namespace: string;
  readonly name: string;
}

/**
 * How many times as long as it ran a slow computation rests while others are at work: it gets a quarter of a core. Beside RSA-8192
 * signatures, another issuer's p99 was 3.7 times what the same load of the API server alone made it without a rest, 1.8 times with
 * a rest as long as the signature, 1.2 times with this one (measured on two cores).
 */
const REST = 3;
/** Most loads take 1 to 5 ms, and need no rest; 64 signatures take 8 ms to verify with P-256, and 85 with P-521. */
const SLOW_LOAD_MS = 10;
/** A process that was paused, or is out of CPU time, must not rest for as long as that. */
const MAX_REST_MS = 1_000;
/** How long after its last use a Secret counts as in use. */
const IN_USE_MS = 1_000;

/** The turns of each tenant: a namespace, whose owner may make any number of issuers and keys. */
export class TurnsByNamespace {
  readonly #clock: Clock;
  readonly #slow: Turns;
  readonly #signing = new Map<string, Turns>();
  readonly #loading = new Map<string, Turns>();
  /** The Secret that was used last, and the last one that was another. */
  #last: Use | undefined;
  #lastOther: Use | undefined;

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#slow = new Turns(1, clock);
  }

  /** Takes note that a request, or an issuer, needs this Secret. */
  noteUse({ namespace, name }: TurnOwner): void {
    const secret = `${namespace}/${name}`;
    if (this.#last?.secret !== secret) this.#lastOther = this.#last;
    this.#last = { secret, at: this.#clock() };
  }

  /** For signatures with the key of one Secret. */
  ofSigning(owner: TurnOwner): SigningTurns {
    const turns = this.#turnsOf(this.#signing, owner, 2);
    return {
      run: work => turns.run(work),
      runSlow: work => turns.run(() => this.#slow.run(work, tookMs => this.#restAfter(owner, tookMs))),
    };
  }

  /** For loading a Secret, one after the other of a namespace: each may verify dozens of signatures. */
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
