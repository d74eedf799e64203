// Until when this replica may write: one term of leadership, measured by this machine's own clocks. Never asks the API server,
// and needs no timer, which would not fire while the process is stopped.

export interface Leadership {
  /** Aborted when it ends: too late in a process that was stopped, whose timers did not fire. */
  readonly signal: AbortSignal;
  /** Whether it lasts, by the clock; false stays false. To be asked right before each signature and each write. */
  mayWrite(): boolean;
}

/** Milliseconds on two clocks: one that is never set, and one that goes on while the machine is suspended. */
export interface Clocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

const CLOCKS: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() };

/**
 * One term. It ends when the last renewal is `durationMs` old, counted from when that renewal was sent. On Linux the monotonic
 * clock stands still while the machine is suspended, and the other may be set: the time is up when either says so.
 */
export class Term implements Leadership {
  readonly signal: AbortSignal;
  readonly #durationMs: number;
  readonly #clocks: Clocks;
  readonly #over = new AbortController();
  #renewed: { readonly monotonic: number; readonly wall: number };

  /** Begins now, before the Lease is asked for, and ends with `stop` at the latest. */
  constructor(durationMs: number, stop: AbortSignal, clocks: Clocks = CLOCKS) {
    this.#durationMs = durationMs;
    this.#clocks = clocks;
    this.signal = AbortSignal.any([stop, this.#over.signal]);
    this.#renewed = this.now();
  }

  /** To be read before a renewal is sent, for `renewedAt`. */
  now(): { readonly monotonic: number; readonly wall: number } {
    return { monotonic: this.#clocks.monotonic(), wall: this.#clocks.wall() };
  }

  /** The renewal that was sent at `sentAt` has succeeded. A term that is over is not brought back. */
  renewedAt(sentAt: { readonly monotonic: number; readonly wall: number }): void {
    if (this.mayWrite()) this.#renewed = sentAt;
  }

  /** Milliseconds; 0 when the term is over. */
  get left(): number {
    const { monotonic, wall } = this.now();
    const age = Math.max(monotonic - this.#renewed.monotonic, wall - this.#renewed.wall);
    return this.signal.aborted ? 0 : Math.max(0, this.#durationMs - age);
  }

  mayWrite(): boolean {
    // What was refused once is not taken up again before the next term, which looks at everything.
    if (this.left === 0) this.end();
    return !this.signal.aborted;
  }

  end(): void {
    this.#over.abort();
  }
}

/** Without a Lease: this replica is the only one. */
export function soleLeadership(signal: AbortSignal): Leadership {
  return { signal, mayWrite: () => !signal.aborted };
}
