// How long this replica may write: one term of leadership, measured by the clocks of this machine. Never asks the API
// server, and needs no timer, which would not fire while the process is stopped.

export interface Leadership {
  /** Aborted when the term ends; too late in a process that was stopped, because its timers did not fire. */
  readonly signal: AbortSignal;
  /** Whether the term lasts, by the clock; false is final. Call right before each signature and each write. */
  mayWrite(): boolean;
}

/** Milliseconds on two clocks: a monotonic one, and one that continues while the machine is suspended. */
export interface Clocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

const CLOCKS: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() };

/**
 * One term. It ends when the last renewal is `durationMs` old, counted from when that renewal was sent. On Linux the
 * monotonic clock stops while the machine is suspended, and the other may be set: the term ends when either says so.
 */
export class Term implements Leadership {
  readonly signal: AbortSignal;
  readonly #durationMs: number;
  readonly #clocks: Clocks;
  readonly #over = new AbortController();
  #renewed: { readonly monotonic: number; readonly wall: number };

  /** Starts now, before the request for the Lease, and ends with `stop` at the latest. */
  constructor(durationMs: number, stop: AbortSignal, clocks: Clocks = CLOCKS) {
    this.#durationMs = durationMs;
    this.#clocks = clocks;
    this.signal = AbortSignal.any([stop, this.#over.signal]);
    this.#renewed = this.now();
  }

  /** Call before a renewal is sent, for `renewedAt`. */
  now(): { readonly monotonic: number; readonly wall: number } {
    return { monotonic: this.#clocks.monotonic(), wall: this.#clocks.wall() };
  }

  /** The renewal that was sent at `sentAt` succeeded. Does not revive a term that has ended. */
  renewedAt(sentAt: { readonly monotonic: number; readonly wall: number }): void {
    if (this.mayWrite()) this.#renewed = sentAt;
  }

  /** Milliseconds; 0 after the term has ended. */
  get left(): number {
    const { monotonic, wall } = this.now();
    const age = Math.max(monotonic - this.#renewed.monotonic, wall - this.#renewed.wall);
    return this.signal.aborted ? 0 : Math.max(0, this.#durationMs - age);
  }

  mayWrite(): boolean {
    // Once refused, writing stays refused until the next term, which reads everything again.
    if (this.left === 0) this.end();
    return !this.signal.aborted;
  }

  end(): void {
    this.#over.abort();
  }
}

/** Without a Lease this replica is the only one. */
export function soleLeadership(signal: AbortSignal): Leadership {
  return { signal, mayWrite: () => !signal.aborted };
}
