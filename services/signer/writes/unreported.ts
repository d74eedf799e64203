// Which CSRs came to their end while another replica led, and may lack the event and the line in the log of that, because it was
// killed before it wrote them. Knows names and times only; reads and writes nothing.

import type { FormerLeader } from '@countersign/common/runtime/controller/lease-object.ts';
import type { RequestRecord } from '../requests/request-kind.ts';

/** What was written so long before a leader's last renewal is reported by then: the longest wait of an event is some minutes. */
const REPORTED_AFTER_MS = 300_000;
/** As many as end in an hour, at some six a second. */
const MAX_NAMES = 20_000;

/** Of a record, what shows when it came to its end. */
type End = Pick<RequestRecord, 'endedAfter' | 'receivedAt'>;

export class Unreported {
  /** When each ended, at the earliest; ms since 1970. */
  readonly #ended = new Map<string, number>();
  /** From when on the former leader may have left ends unreported; undefined where it left none. */
  #since: number | undefined;
  readonly #due = new Set<string>();

  /** Begins a term after `former`; gives what is to be looked at. */
  begin(former: FormerLeader | undefined): Iterable<string> {
    this.#since = former === undefined ? undefined : (former.renewedAt?.getTime() ?? Date.now()) - REPORTED_AFTER_MS;
    for (const [name, at] of this.#ended) this.#note(name, at);
    this.#ended.clear();
    return this.#due;
  }

  /** Takes note of a change to a CSR. `isLeading`: what ends then is reported here. Gives whether it is to be looked at. */
  update(name: string, now: End | undefined, before: End | undefined, isLeading: boolean): boolean {
    if (now?.endedAfter === undefined) {
      this.#ended.delete(name);
      return false;
    }
    if (before?.endedAfter !== undefined) return false;
    // Seen to end, it ended now; listed with its end, no sooner than it was approved.
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
