// Tracks CSRs that ended while another replica was leader and may lack their event and log line because it was killed
// first. Holds names and times only; reads and writes nothing.

import type { FormerLeader } from '@countersign/common/runtime/controller/lease-object.ts';
import type { RequestRecord } from '../requests/request-kind.ts';

/**
 * Anything written this long before a leader's last renewal has been reported: an event waits for a few minutes
 * at most.
 */
const REPORTED_AFTER_MS = 300_000;
/** The number that end in an hour at about six per second. */
const MAX_NAMES = 20_000;

/** The part of a record that shows when it ended. */
type End = Pick<RequestRecord, 'endedAfter' | 'receivedAt'>;

export class Unreported {
  /** The earliest time at which each ended; ms since 1970. */
  readonly #ended = new Map<string, number>();
  /** Since when the previous leader may have left endings unreported; undefined if it left none. */
  #since: number | undefined;
  readonly #due = new Set<string>();

  /** Starts a term after `former`; returns the names to check. */
  begin(former: FormerLeader | undefined): Iterable<string> {
    this.#since = former === undefined ? undefined : (former.renewedAt?.getTime() ?? Date.now()) - REPORTED_AFTER_MS;
    for (const [name, at] of this.#ended) this.#note(name, at);
    this.#ended.clear();
    return this.#due;
  }

  /**
   * Records a change to a CSR. `isLeading`: what ends now is reported by this replica. Returns whether to check
   * the CSR.
   */
  update(name: string, now: End | undefined, before: End | undefined, isLeading: boolean): boolean {
    if (now?.endedAfter === undefined) {
      this.#ended.delete(name);
      return false;
    }
    if (before?.endedAfter !== undefined) return false;
    // If the end was observed, it ended now; if it was listed already ended, no earlier than its approval.
    const at = before === undefined ? now.endedAfter : now.receivedAt;
    if (isLeading) return before === undefined && this.#note(name, at);
    const [oldest] = this.#ended.size < MAX_NAMES ? [] : this.#ended.keys();
    if (oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.set(name, at);
    return false;
  }

  has(name: string): boolean {
    return this.#due.has(name);
  }

  delete(name: string): void {
    this.#due.delete(name);
  }

  #note(name: string, at: number): boolean {
    if (this.#since === undefined || at < this.#since) return false;
    this.#due.add(name);
    return true;
  }
}
