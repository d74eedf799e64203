// Leader election by a coordination.k8s.io Lease: at most one replica signs at a time, and a stopping replica releases
// the Lease at once. Measures the age of another's Lease by its own clock, never by the time in it (clocks differ).

import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../backoff.ts';
import { asClassifiedError } from '../errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';
import type { ApiContact } from './api-contact.ts';
import { type Leadership, Term } from './leadership.ts';
import {
  type Claimant,
  claimLease,
  type FormerLeader,
  formerLeader,
  type Lease,
  releaseLease,
} from './lease-object.ts';
import { type LeaseTiming, leaseTiming } from './lease-timing.ts';
import { LeaseWatch } from './lease-watch.ts';

export interface LeaderLeaseOptions extends Claimant {
  /** Its requests time out after `timeoutMs` of the timing. */
  readonly client: KubeClient;
  readonly log: Logger;
  readonly contact: Pick<ApiContact, 'recordAnswer'>;
  readonly timing?: Partial<LeaseTiming>;
}

/**
 * Runs while this replica is the leader; must end soon after the signal of its leadership. `former` is the previous
 * holder if its Lease had expired.
 */
export type Lead = (leadership: Leadership, former: FormerLeader | undefined) => Promise<void>;

/** Result of an attempt: `taken` if another replica holds the Lease, `unknown` if the API server did not answer. */
type Claim = 'held' | 'taken' | 'unknown';

/** How long shutdown waits for the release of the Lease; it expires anyway. */
const RELEASE_MS = 3_000;

export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  readonly #path: string;
  readonly #durationMs: number;
  readonly #timing: LeaseTiming;
  /** The last renewal, possibly in progress. */
  #renewal: Promise<Claim> | undefined;
  /** The Lease as last written here: renewed without another read; a write by anyone else causes a conflict. */
  #held: Lease | undefined;
  /** The previous holder, if its Lease had expired. */
  #former: FormerLeader | undefined;
  /** The Lease of another replica as last read, and when it may be taken if it does not change. */
  #seen: { readonly version: string; readonly mayTakeAt: number } | undefined;

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
    this.#durationMs = options.durationMs;
    this.#timing = { ...leaseTiming(options.durationMs), ...options.timing };
  }

  /** Runs `lead` whenever this replica holds the Lease, until the signal. */
  async run(signal: AbortSignal, lead: Lead): Promise<void> {
    while (!signal.aborted) {
      const term = (await this.#tryTerm(signal)) ?? (await this.#standBy(signal));
      if (term !== undefined) await this.#leadUntilLost(term, signal, lead);
    }
  }

  /** A term starts before the request for the Lease, because it is unknown how long the answer took. */
  async #tryTerm(signal: AbortSignal): Promise<Term | undefined> {
    const term = new Term(this.#timing.termMs, signal);
    this.#former = undefined;
    return (await this.#tryAcquire()) === 'held' ? term : undefined;
  }

  /** Retries periodically, and as soon as the watch reports that the Lease is free. */
  async #standBy(signal: AbortSignal): Promise<Term | undefined> {
    const over = new AbortController();
    const onChange = (lease: unknown) => lease === undefined || this.#mayTake(lease as Lease);
    const watch = new LeaseWatch({ ...this.#options, path: this.#path, onChange });
    const watching = watch.run(AbortSignal.any([signal, over.signal]));
    let term: Term | undefined;
    while (term === undefined && !signal.aborted) {
      await watch.whenFree(this.#untilNextTry(), signal);
      if (!signal.aborted) term = await this.#tryTerm(signal);
    }
    over.abort();
    await watching;
    return term;
  }

  async #leadUntilLost(term: Term, signal: AbortSignal, lead: Lead): Promise<void> {
    this.#report(true);
    const work = lead(term, this.#former);
    try {
      await Promise.race([this.#renewUntilLost(term, signal), work]);
    } finally {
      term.end();
      await work;
      this.#report(false);
      const release = this.#release();
      // A replica that continues must not release later what it acquires next.
      await (signal.aborted ? Promise.race([release, sleep(RELEASE_MS, undefined, { ref: false })]) : release);
    }
  }

  async #renewUntilLost(term: Term, signal: AbortSignal): Promise<void> {
    let startedAt = performance.now();
    while (!signal.aborted && term.mayWrite()) {
      // From start to start, so that slow renewals do not become less frequent.
      await pause(Math.max(0, startedAt + this.#timing.retryMs - performance.now()), signal);
      if (signal.aborted) return;
      startedAt = performance.now();
      const sentAt = term.now();
      // A request that hangs must not extend leadership past the deadline.
      const deadline = pause(term.left, signal);
      this.#renewal = this.#tryAcquire();
      const answer = await Promise.race([this.#renewal, deadline]);
      if (answer === 'taken') return;
      if (answer === 'held') term.renewedAt(sentAt);
    }
  }

  #report(leading: boolean): void {
    this.#options.log.info({ leading, identity: this.#options.identity }, 'leadership changed');
  }

  /** Acquires or renews the Lease. */
  async #tryAcquire(): Promise<Claim> {
    const claim = await this.#claim();
    if (claim !== 'unknown') this.#options.contact.recordAnswer();
    return claim;
  }

  async #claim(): Promise<Claim> {
    const { client, name } = this.#options;
    const held = this.#held;
    this.#held = undefined;
    try {
      const lease = held ?? (await client.get<Lease>(`${this.#path}/${name}`));
      if (lease !== undefined && !this.#mayTake(lease)) return 'taken';
      const claim = claimLease(lease, this.#options);
      this.#former = formerLeader(lease, this.#options.identity);
      this.#held = await (lease === undefined
        ? client.create<Lease>(this.#path, claim)
        : client.update<Lease>(`${this.#path}/${name}`, claim));
      return 'held';
    } catch (error) {
      // Another client has written or deleted it: read who holds it now.
      if (held !== undefined && isStale(error)) return this.#claim();
      // Another standby replica was faster.
      if (isStale(error)) return 'taken';
      this.#options.log.warn({ err: error, lease: this.#options.name }, 'cannot acquire lease');
      return 'unknown';
    }
  }

  #mayTake(lease: Lease): boolean {
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const version = lease.metadata.resourceVersion ?? '';
    const durationMs = (lease.spec?.leaseDurationSeconds ?? this.#durationMs / 1000) * 1000;
    if (this.#seen?.version !== version) this.#seen = { version, mayTakeAt: performance.now() + durationMs };
    return performance.now() > this.#seen.mayTakeAt;
  }

  /** A Lease that expires before the next attempt is taken when it does: nothing is signed meanwhile. */
  #untilNextTry(): number {
    const leftMs = (this.#seen?.mayTakeAt ?? 0) - performance.now() + 1;
    return leftMs > 0 ? Math.min(leftMs, this.#timing.retryMs) : this.#timing.retryMs;
  }

  async #release(): Promise<void> {
    // A renewal in progress would take the Lease back.
    await this.#renewal;
    this.#held = undefined;
    try {
      const lease = await this.#options.client.get<Lease>(`${this.#path}/${this.#options.name}`);
      if (lease?.spec?.holderIdentity !== this.#options.identity) return;
      await this.#options.client.update(`${this.#path}/${this.#options.name}`, releaseLease(lease));
    } catch (error) {
      this.#options.log.warn({ err: error, lease: this.#options.name }, 'cannot release lease, it will expire');
    }
  }
}

function isStale(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code === 'conflict' || code === 'already-exists' || code === 'not-found';
}
