// Schedules thread pool computations: a limited number per tenant run at a time, and slow ones pause while others are
// active. Tenants choose their keys and certificates, so slow ones must leave threads and CPU time to others.

/** Returns milliseconds. */
type Clock = () => number;

/** Runs a limited number of computations at a time, in the order of the calls. */
class Limiter {
  #free: number;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number, clock: Clock) {
    this.#free = atOnce;
    this.#clock = clock;
  }

  /**
   * Runs `work` when it is its turn. The next one also waits for the milliseconds that `pauseAfter` returns for the
   * duration of this one.
   */
  async run<T>(work: () => Promise<T>, pauseAfter: (tookMs: number) => number = () => 0): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    const startedAt = this.#clock();
    try {
      return await work();
    } finally {
      const pauseMs = pauseAfter(this.#clock() - startedAt);
      if (pauseMs > 0) setTimeout(() => this.#pass(), pauseMs);
      else this.#pass();
    }
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** Schedules signatures with one key. */
export interface SigningScheduler {
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
const PAUSE_FACTOR = 3;
/** Most loads take 1 to 5 ms and need no pause; verifying 64 signatures takes 8 ms with P-256 and 85 ms with P-521. */
const SLOW_LOAD_MS = 10;
/**
 * How long the slow loads of a namespace may take before pauses follow them; it comes back as slowly as pauses let them
 * run. A process that has just started loads all Secrets at once with code that is not compiled, and the first
 * certificate waited 20 to 250 ms for a pause (measured).
 */
const LOADS_WITHOUT_PAUSE_MS = 500;
/** Limits the pause of a process that was suspended or starved of CPU time. */
const MAX_PAUSE_MS = 1_000;
/** How long after its last use a Secret counts as in use. */
const IN_USE_MS = 1_000;

/** How long the slow loads of one namespace have taken lately. */
class LoadTime {
  #ms = 0;
  #at = 0;

  /** Adds a load that ended now; returns whether pauses have to follow. */
  add(tookMs: number, now: number): boolean {
    this.#ms = Math.max(0, this.#ms - (now - this.#at) / (1 + PAUSE_FACTOR)) + tookMs;
    this.#at = now;
    return this.#ms > LOADS_WITHOUT_PAUSE_MS;
  }
}

/** Schedules by tenant, that is, by namespace: its owner may create any number of issuers and keys. */
export class ComputeScheduler {
  readonly #clock: Clock;
  readonly #slow: Limiter;
  readonly #signing = new Map<string, Limiter>();
  readonly #loading = new Map<string, Limiter>();
  readonly #loadTimes = new Map<string, LoadTime>();
  /** The Secret used last, and the last one used before that. */
  #last: Use | undefined;
  #lastOther: Use | undefined;

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#slow = new Limiter(1, clock);
  }

  /** Records that a request or an issuer uses this Secret. */
  noteUse({ namespace, name }: TurnOwner): void {
    const secret = `${namespace}/${name}`;
    if (this.#last?.secret !== secret) this.#lastOther = this.#last;
    this.#last = { secret, at: this.#clock() };
  }

  /** Schedules signatures with the key of one Secret. */
  ofSigning(owner: TurnOwner): SigningScheduler {
    const limiter = this.#limiterOf(this.#signing, owner, 2);
    return {
      run: work => limiter.run(work),
      runSlow: work => limiter.run(() => this.#slow.run(work, tookMs => this.#pauseAfter(owner, tookMs))),
    };
  }

  /** Loads the Secrets of a namespace one at a time: each may verify dozens of signatures. */
  load<T>(owner: TurnOwner, work: () => Promise<T>): Promise<T> {
    return this.#limiterOf(this.#loading, owner, 1).run(work, tookMs => this.#pauseAfterLoad(owner, tookMs));
  }

  #pauseAfterLoad(owner: TurnOwner, tookMs: number): number {
    if (tookMs < SLOW_LOAD_MS) return 0;
    const time = this.#loadTimes.get(owner.namespace) ?? new LoadTime();
    this.#loadTimes.set(owner.namespace, time);
    return time.add(tookMs, this.#clock()) ? this.#pauseAfter(owner, tookMs) : 0;
  }

  #pauseAfter({ namespace, name }: TurnOwner, tookMs: number): number {
    const other = this.#last?.secret === `${namespace}/${name}` ? this.#lastOther : this.#last;
    const isAlone = other === undefined || this.#clock() - other.at >= IN_USE_MS;
    return isAlone ? 0 : Math.min(PAUSE_FACTOR * tookMs, MAX_PAUSE_MS);
  }

  #limiterOf(all: Map<string, Limiter>, { namespace }: TurnOwner, atOnce: number): Limiter {
    const limiter = all.get(namespace) ?? new Limiter(atOnce, this.#clock);
    all.set(namespace, limiter);
    return limiter;
  }
}

interface Use {
  readonly secret: string;
  readonly at: number;
}
