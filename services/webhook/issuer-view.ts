// The webhook's own copy of the Issuers and ClusterIssuers of the cluster, kept up to date by two reflectors. Says what an
// issuer is like, or that it does not know; never asks the API server because of a request.

import { type Issuer, toIssuer } from '@countersign/common/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import { Reflector, type ReflectorMetrics } from '@countersign/common/runtime/reflector.ts';
import { ISSUER_GROUP, type SignerRef } from '@countersign/common/signer-name.ts';

/** `unknown` while the copy is not complete or may be old: then nothing may be concluded. */
export type IssuerKnowledge = Issuer | 'missing' | 'unknown';

export interface IssuerSource {
  find(ref: SignerRef): IssuerKnowledge;
}

export interface IssuerViewOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  readonly log: Logger;
  readonly metrics: ReflectorMetrics;
}

export class IssuerView implements IssuerSource {
  readonly #issuers: Reflector<Issuer>;
  readonly #clusterIssuers: Reflector<Issuer>;

  constructor(options: IssuerViewOptions) {
    this.#issuers = createReflector(options, 'issuers');
    this.#clusterIssuers = createReflector(options, 'clusterissuers');
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#issuers.run(signal), this.#clusterIssuers.run(signal)]);
  }

  /** Until the copy is complete, or the signal comes. */
  async waitUntilSynced(signal: AbortSignal): Promise<void> {
    const isSynced = () => this.#issuers.hasSynced && this.#clusterIssuers.hasSynced;
    while (!isSynced() && !signal.aborted) await pause(20, signal);
  }

  find(ref: SignerRef): IssuerKnowledge {
    const reflector = ref.kind === 'Issuer' ? this.#issuers : this.#clusterIssuers;
    if (!reflector.hasSynced || !reflector.isFresh(Date.now())) return 'unknown';
    return reflector.get(ref.kind === 'Issuer' ? `${ref.namespace}/${ref.name}` : ref.name) ?? 'missing';
  }
}

function createReflector(options: IssuerViewOptions, name: 'issuers' | 'clusterissuers'): Reflector<Issuer> {
  const path = `/apis/${ISSUER_GROUP}/v1/${name}`;
  return new Reflector<Issuer>({ ...options, name, path, transform: toIssuer, onChange: () => undefined });
}
