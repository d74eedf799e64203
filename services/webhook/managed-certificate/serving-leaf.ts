// The in-memory serving certificate of one replica: issues it, renews it, and switches to another CA once API servers
// have had time to learn of that CA. Reads and writes nothing in the cluster.

import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { KeyPair } from '../serving/serving-certificate.ts';
import { PROPAGATION_MS } from './ca-state.ts';
import { issueServingCertificate } from './certificate-authority.ts';
import type { CertificateAuthority } from './own-authority.ts';
import { expiresNoSooner, hasExpired, isPastTwoThirds, startsAfter } from './validity.ts';

export interface ServingLeafOptions {
  readonly log: Logger;
  /** DNS names and IP addresses that the API server calls. */
  readonly names: readonly string[];
  readonly now: () => Date;
  readonly lifetimeMs: number;
}

export class ServingLeaf {
  readonly #options: ServingLeafOptions;
  /** When this replica first saw each CA in the published bundle. */
  #seen: ReadonlyMap<string, number> = new Map();
  #leaf: { readonly pair: KeyPair; readonly caPem: string } | undefined;

  constructor(options: ServingLeafOptions) {
    this.#options = options;
  }

  /** The CA (PEM) of the current serving certificate; empty before the first one. */
  get caPems(): readonly string[] {
    return this.#leaf === undefined ? [] : [this.#leaf.caPem];
  }

  /** Records when each of these CAs, which are all that are published, was first seen. */
  notePublished(certPems: readonly string[]): void {
    const now = this.#options.now().getTime();
    this.#seen = new Map(certPems.map(certPem => [certPem, this.#seen.get(certPem) ?? now]));
  }

  async serve(current: CertificateAuthority): Promise<KeyPair> {
    const { names, now, log, lifetimeMs } = this.#options;
    const leaf = this.#leaf;
    if (leaf !== undefined && this.#isKept(leaf.pair.cert, leaf.caPem, current)) return leaf.pair;
    const pair = await issueServingCertificate(current, names, { now: now(), lifetimeMs });
    log.info({ names }, 'serving certificate issued');
    this.#leaf = { pair, caPem: current.certPem };
    return pair;
  }

  #isKept(served: string, caPem: string, current: CertificateAuthority): boolean {
    const now = this.#options.now();
    return caPem === current.certPem ? isAsGoodAsNew(served, caPem, now) : this.#mustWaitFor(current, served);
  }

  /** A CA that was written to the Secret by hand signs only after API servers have had time to learn of it. */
  #mustWaitFor({ certPem }: CertificateAuthority, served: string): boolean {
    const now = this.#options.now();
    const isLearned = now.getTime() - (this.#seen.get(certPem) ?? 0) >= PROPAGATION_MS;
    return !isLearned && !hasExpired(served, now) && !startsAfter(served, now);
  }
}

/** A certificate that is not valid yet was issued while the clock was ahead. No certificate can outlive its CA. */
function isAsGoodAsNew(certPem: string, caPem: string, now: Date): boolean {
  return !startsAfter(certPem, now) && (!isPastTwoThirds(certPem, now) || expiresNoSooner(certPem, caPem));
}
