// What the webhook knows of an issuer from its cache, or that it does not know; never asks the API server because of a request.

import type { Issuer } from '@countersign/common/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { IssuerCache, type IssuerCacheOptions } from '@countersign/common/runtime/reflector/issuer-cache.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';

/** `unknown` while the cache is not complete or may be old: then nothing may be concluded. */
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

  /** Until the cache is complete, or the signal comes. */
  async waitUntilSynced(signal: AbortSignal): Promise<void> {
    while (!this.#issuers.hasSynced && !signal.aborted) await pause(20, signal);
  }

  find(ref: SignerRef): IssuerKnowledge {
    return this.#issuers.isFresh(ref.kind, Date.now()) ? (this.#issuers.find(ref) ?? 'missing') : 'unknown';
  }
}
