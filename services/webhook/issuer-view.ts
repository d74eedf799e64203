// Looks up issuers in the webhook's cache. Never queries the API server while handling a request.

import { describeExternal } from '@countersign/common/issuers/external-issuer.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { IssuerCache, type IssuerCacheOptions } from '@countersign/common/runtime/reflector/issuer-cache.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';

/** `unknown` while the cache is not synced or may be stale: then nothing may be concluded. */
export type IssuerKnowledge = Issuer | 'missing' | 'unknown';

export interface IssuerSource {
  find(ref: SignerRef): IssuerKnowledge;
}

export class IssuerView implements IssuerSource {
  readonly #issuers: IssuerCache;

  constructor(options: Omit<IssuerCacheOptions, 'onChange'>) {
    this.#issuers = new IssuerCache(options);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#issuers.run(signal);
  }

  /** Resolves when the cache has synced or the signal is aborted. */
  async waitUntilSynced(signal: AbortSignal): Promise<void> {
    while (!this.#issuers.hasSynced && !signal.aborted) await pause(20, signal);
  }

  find(ref: SignerRef): IssuerKnowledge {
    if (ref.external !== undefined) return describeExternal(ref);
    return this.#issuers.isFresh(ref.kind, Date.now()) ? (this.#issuers.find(ref) ?? 'missing') : 'unknown';
  }
}
