// Leadership by a coordination.k8s.io Lease: at most one replica signs at a time, and a replica that stops hands over at
// once. Measures the age of another's lease by its own clock, never by the time written in it (clocks differ).

import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectMeta } from '@countersign/common/csr.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { asClassifiedError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';

/** coordination.k8s.io/v1 Lease, as far as it is used; times are RFC 3339 with microseconds (metav1.MicroTime). */
interface Lease {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaderLeaseOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Who holds the lease: unique to this process. */
  readonly identity: string;
  readonly log: Logger;
  /** How long a silent holder keeps the lease; a holder that could not renew for two thirds of it stops on its own. */
  readonly durationMs?: number;
  readonly retryMs?: number;
}

/** What became of an attempt: `taken` when another holds the lease, `unknown` when the API server did not say. */
type Claim = 'held' | 'taken' | 'unknown';

/** The durations of client-go's leader election: 15 s lease, 10 s to renew, 2 s between tries. */
const LEASE_DURATION_MS = 15_000;
const RETRY_MS = 2_000;
/** How long the end of the process waits until the lease is given up; it expires anyway. */
const RELEASE_MS = 3_000;

export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  readonly #path: string;
  readonly #durationMs: number;
  readonly #retryMs: number;
  /** The last renewal, perhaps still under way. */
  #renewal: Promise<Claim> | undefined;
  /** The lease as it was last written here: renewed without another look, which a write of anybody else makes a conflict. */
  #held: Lease | undefined;
  /** The lease of another as last read, and when it may be taken if it stays in that state. */
  #seen: { readonly version: string; readonly mayTakeAt: number } | undefined;

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
    this.#durationMs = options.durationMs ?? LEASE_DURATION_MS;
    this.#retryMs = options.retryMs ?? RETRY_MS;
  }

  /** Runs `lead` whenever this replica holds the lease, until the signal; `lead` must end soon after its own signal. */
  async run(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      if ((await this.#tryAcquire()) !== 'held') {
        await pause(this.#untilNextTry(), signal);
        continue;
      }
      await this.#leadUntilLost(signal, lead);
    }
  }

  async #leadUntilLost(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<void> {
    const lost = new AbortController();
    this.#report(true);
    const work = lead(AbortSignal.any([signal, lost.signal]));
    try {
      await Promise.race([this.#renewUntilLost(signal), work]);
    } finally {
      lost.abort();
      await work;
      this.#report(false);
      const release = this.#release();
      // Who goes on must not give up later what it takes next.
      await (signal.aborted ? Promise.race([release, sleep(RELEASE_MS, undefined, { ref: false })]) : release);
    }
  }

  async #renewUntilLost(signal: AbortSignal): Promise<void> {
    const deadlineMs = (this.#durationMs * 2) / 3;
    let renewedAt = performance.now();
    let startedAt = renewedAt;
    while (!signal.aborted && performance.now() - renewedAt < deadlineMs) {
      // From one start to the next, so that renewals which take long do not come less often.
      await pause(Math.max(0, startedAt + this.#retryMs - performance.now()), signal);
      if (signal.aborted) return;
      startedAt = performance.now();
      // A request that hangs must not keep leadership alive past the deadline.
      const deadline = pause(Math.max(0, renewedAt + deadlineMs - startedAt), signal);
      this.#renewal = this.#tryAcquire();
      const answer = await Promise.race([this.#renewal, deadline]);
      if (answer === 'taken') return;
      if (answer === 'held') renewedAt = startedAt;
    }
  }

  #report(leading: boolean): void {
    this.#options.log.info({ leading, identity: this.#options.identity }, 'leadership changed');
  }

  /** Takes or renews the lease. */
  async #tryAcquire(): Promise<Claim> {
    const { client, name } = this.#options;
    const held = this.#held;
    this.#held = undefined;
    try {
      const lease = held ?? (await client.get<Lease>(`${this.#path}/${name}`));
      if (lease !== undefined && !this.#mayTake(lease)) return 'taken';
      const claim = this.#claim(lease);
      this.#held = await (lease === undefined
        ? client.create<Lease>(this.#path, claim)
        : client.update<Lease>(`${this.#path}/${name}`, claim));
      return 'held';
    } catch (error) {
      // Somebody has written to it, or deleted it: whose it is now has to be read.
      if (held !== undefined && isStale(error)) return this.#tryAcquire();
      this.#options.log.warn({ err: error, lease: this.#options.name }, 'lease not acquired');
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

  /** A lease that runs out before the next try is taken when it does: nobody signs meanwhile. */
  #untilNextTry(): number {
    const leftMs = (this.#seen?.mayTakeAt ?? 0) - performance.now() + 1;
    return leftMs > 0 ? Math.min(leftMs, this.#retryMs) : this.#retryMs;
  }

  /** The lease in this replica's name; the resourceVersion of what was read makes two takers conflict (409). */
  #claim(lease: Lease | undefined): Lease {
    const { identity, name, namespace } = this.#options;
    const now = microTime();
    const { holderIdentity, acquireTime, leaseTransitions = 0 } = lease?.spec ?? {};
    const isRenewal = holderIdentity === identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease?.metadata ?? { name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
        acquireTime: isRenewal && acquireTime !== undefined ? acquireTime : now,
        renewTime: now,
        leaseTransitions: isRenewal || lease === undefined ? leaseTransitions : leaseTransitions + 1,
      },
    };
  }

  async #release(): Promise<void> {
    // A renewal that is still under way would take back what is given up.
    await this.#renewal;
    this.#held = undefined;
    try {
      const lease = await this.#options.client.get<Lease>(`${this.#path}/${this.#options.name}`);
      if (lease?.spec?.holderIdentity !== this.#options.identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() };
      await this.#options.client.update(`${this.#path}/${this.#options.name}`, { ...lease, spec });
    } catch (error) {
      this.#options.log.warn({ err: error, lease: this.#options.name }, 'lease not released, it will expire');
    }
  }
}

function isStale(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code === 'conflict' || code === 'not-found';
}

function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
