// Creates CSRs one after the other, each with a separate TLS handshake to the webhook, and counts refusals. Stores
// nothing (dryRun).

import { setTimeout as sleep } from 'node:timers/promises';
import type { Refusal } from '../api.ts';
import type { Cluster } from '../cluster.ts';
import { CSRS, csrManifest } from '../requests.ts';
import type { Balancer } from './balancer.ts';

const BODY = csrManifest({ name: 'tried', signerName: 'clusterissuers.cert-manager.io/absent' });

const CONNECTION_ENDED = /failed to call webhook: Post .*: EOF$/;

export class Creations {
  readonly #cluster: Cluster;
  readonly #balancer: Balancer;
  readonly #texts = new Set<string>();
  made = 0;
  refused = 0;
  /** Requests whose connection ended without a response. */
  cut = 0;
  #longestMs = 0;

  constructor(cluster: Cluster, balancer: Balancer) {
    this.#cluster = cluster;
    this.#balancer = balancer;
  }

  /** The longest time from a refusal to the next admission, in tenths of a second. */
  get seconds(): number {
    return Math.round(this.#longestMs / 100) / 10;
  }

  /** The messages of the refusals. */
  get texts(): readonly string[] {
    return [...this.#texts];
  }

  /** Creates CSRs until `work` is done. */
  async during(work: () => Promise<void>): Promise<void> {
    const over = new AbortController();
    await Promise.all([work().finally(() => over.abort()), this.#createUntil(over.signal)]);
  }

  async #createUntil(over: AbortSignal): Promise<void> {
    let refusedSince: number | undefined;
    while (!over.aborted) {
      const start = performance.now();
      const isAdmitted = await this.isAdmitted();
      this.made += 1;
      if (!isAdmitted) this.refused += 1;
      if (isAdmitted && refusedSince !== undefined) this.#longestMs = Math.max(this.#longestMs, start - refusedSince);
      refusedSince = isAdmitted ? undefined : (refusedSince ?? start);
      await sleep(10);
    }
  }

  /**
   * undefined if it is refused. A request whose connection was ended by a replica that exits is sent again,
   * and counted.
   */
  async isAdmitted(): Promise<true | undefined> {
    const first = await this.#create();
    const isCut = first !== undefined && CONNECTION_ENDED.test(first);
    if (isCut) this.cut += 1;
    const refusal = isCut ? await this.#create() : first;
    if (refusal === undefined) return true;
    this.#texts.add(refusal);
    return undefined;
  }

  /** Returns the message of a refusal. */
  async #create(): Promise<string | undefined> {
    const call = { method: 'POST', path: `${CSRS}?dryRun=All`, body: BODY } as const;
    const { status, body } = await this.#cluster.api.call<Refusal>(call);
    await this.#balancer.hangUp();
    return status === 201 ? undefined : body.message;
  }
}
