// Tracks requests that another signer may have ended while this replica was to sign them: two signers then serve one
// issuer. Holds cached objects only; reads and writes nothing.

import { LogSampler } from '@countersign/common/runtime/process/log-sampler.ts';
import type { RequestKind, RequestRecord } from '../requests/request-kind.ts';
import type { WriteLedger } from './write-ledger.ts';

/** With two signers every request gets such an event; a few are enough to be noticed. */
const EVENT_INTERVAL_MS = 60_000;

/** One line for each term as leader. */
function limitsOfTerm(clock: () => number) {
  return { log: new LogSampler(Number.POSITIVE_INFINITY, clock), events: new LogSampler(EVENT_INTERVAL_MS, clock) };
}

export class OtherSigners<R extends RequestRecord = RequestRecord> {
  readonly #kind: Pick<RequestKind<R>, 'waitsForIssuer'>;
  readonly #ledger: Pick<WriteLedger, 'takeEnd'>;
  readonly #clock: () => number;
  /** By name, as cached while it was open. */
  readonly #suspects = new Map<string, R>();
  #limits: ReturnType<typeof limitsOfTerm>;

  constructor(
    kind: Pick<RequestKind<R>, 'waitsForIssuer'>,
    ledger: Pick<WriteLedger, 'takeEnd'>,
    clock: () => number = () => performance.now(),
  ) {
    this.#kind = kind;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#limits = limitsOfTerm(clock);
  }

  /** Starts a term as leader: what another replica saw is forgotten, and the log reports again. */
  begin(): void {
    this.#suspects.clear();
    this.#limits = limitsOfTerm(this.#clock);
  }

  /** Records a change to a request. A suspect is one that this replica, as leader, was to sign. */
  update(name: string, now: R | undefined, before: R | undefined, isLeading: boolean): void {
    if (before === undefined || now?.state === 'open') return;
    // The watch can be faster than the answer to our write: what ended here is taken out later.
    const isOurs = this.#ledger.takeEnd(before.metadata.uid);
    const hasEnded = before.state === 'open' && now?.state === 'done';
    if (!isOurs && isLeading && hasEnded && this.#kind.waitsForIssuer(before)) this.#suspects.set(name, before);
  }

  /** The names of requests to check now, without those whose writes turned out to be ours. */
  due(): string[] {
    for (const [name, { metadata }] of this.#suspects) {
      if (this.#ledger.takeEnd(metadata.uid)) this.#suspects.delete(name);
    }
    return [...this.#suspects.keys()];
  }

  /** The request to check, as it was while it was open; undefined if there is nothing to check. */
  find(name: string): R | undefined {
    const suspect = this.#suspects.get(name);
    if (suspect === undefined || !this.#ledger.takeEnd(suspect.metadata.uid)) return suspect;
    this.#suspects.delete(name);
    return undefined;
  }

  delete(name: string): void {
    this.#suspects.delete(name);
  }

  /** Whether to log what was found: once in a term. */
  mayLog(): boolean {
    return this.#limits.log.add() !== undefined;
  }

  /** Whether to record an event on the request. */
  mayRecord(): boolean {
    return this.#limits.events.add() !== undefined;
  }
}
