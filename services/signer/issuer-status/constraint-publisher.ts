// Publishes the name constraints of all issuers in one ConfigMap for the webhook, which may not read their Secrets.
// The only file that writes it, and only while this replica is the leader; failed writes are retried, and nothing
// waits for them.

import { isDeepStrictEqual } from 'node:util';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import {
  CONSTRAINTS_CONFIG_MAP,
  CONSTRAINTS_KEY,
  formatPublished,
  type PublishedConstraints,
  type PublishedIssuer,
  parsePublished,
  toPublished,
} from '@countersign/common/issuers/published-constraints.ts';
import { Backoff, pause } from '@countersign/common/runtime/backoff.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { formatSignerName, parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { FIELD_MANAGER } from '../field-manager.ts';

export interface ConstraintPublisherOptions {
  readonly client: Pick<KubeClient, 'get' | 'mergePatch'>;
  readonly log: Logger;
  readonly namespace: string;
  readonly mayWrite: () => boolean;
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  /** Requeues the issuer. */
  readonly recheck: (ref: SignerRef) => void;
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

/** Changes within this time are written together. */
const GATHER_MS = 250;
/** How long it takes to notice changes to the ConfigMap by others. */
const RECHECK_MS = 60_000;
/** How long it takes to notice a replaced constrained CA; until then the webhook applies the old constraints. */
const RECHECK_ISSUERS_MS = 5_000;
/** Maximum number of issuers checked at a time; if there are more, they take turns. */
const ISSUERS_AT_ONCE = 50;
const BACKOFF = { minMs: 1_000, maxMs: 60_000 };

export class ConstraintPublisher {
  readonly #options: ConstraintPublisherOptions;
  readonly #path: string;
  readonly #issuers = new Map<string, PublishedIssuer>();
  #changed = new AbortController();

  constructor(options: ConstraintPublisherOptions) {
    this.#options = options;
    const namespace = encodeURIComponent(options.namespace);
    this.#path = `/api/v1/namespaces/${namespace}/configmaps/${CONSTRAINTS_CONFIG_MAP}`;
  }

  /** Sets the constrained CAs of an issuer; `uid` is undefined for a deleted issuer. */
  set(ref: SignerRef, uid: string | undefined, cas: readonly ConstrainedCa[]): void {
    const name = formatSignerName(ref);
    const before = this.#issuers.get(name);
    const now = uid === undefined || cas.length === 0 ? undefined : toPublished(uid, cas);
    if (now === undefined) this.#issuers.delete(name);
    else this.#issuers.set(name, now);
    if (!isDeepStrictEqual(before, now)) this.#changed.abort();
  }

  /** Publishes changes and rechecks constrained issuers until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const recheck = setInterval(() => this.#recheckIssuers(), RECHECK_ISSUERS_MS);
    await this.#publish(signal);
    clearInterval(recheck);
  }

  #recheckIssuers(): void {
    for (const [name, issuer] of [...this.#issuers].slice(0, ISSUERS_AT_ONCE)) {
      // Move to the end of the queue.
      this.#issuers.delete(name);
      this.#issuers.set(name, issuer);
      const ref = parseSignerName(name);
      if (ref.ok) this.#options.recheck(ref.value);
    }
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(BACKOFF);
    let isAdopted = false;
    while (!signal.aborted) {
      this.#changed = new AbortController();
      try {
        const published = await this.#read(signal);
        if (!isAdopted) this.#adopt(published);
        isAdopted = true;
        await this.#write(published);
        backoff.reset();
        await pause(RECHECK_MS, AbortSignal.any([signal, this.#changed.signal]));
        await pause(GATHER_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        const configMap = `${this.#options.namespace}/${CONSTRAINTS_CONFIG_MAP}`;
        this.#options.log.warn({ err: error, configMap }, 'cannot publish name constraints, will retry');
        await pause(backoff.next(), signal);
      }
    }
  }

  async #read(signal: AbortSignal): Promise<string> {
    const configMap = await this.#options.client.get<ConfigMap>(this.#path, signal);
    return configMap?.data?.[CONSTRAINTS_KEY] ?? '';
  }

  /** Keeps what a previous leader published until newer data is available. */
  #adopt(text: string): void {
    for (const [name, issuer] of Object.entries(this.#parse(text))) {
      const ref = parseSignerName(name);
      const isCurrent = ref.ok && this.#options.findIssuer(ref.value)?.metadata.uid === issuer.uid;
      if (isCurrent && !this.#issuers.has(name)) this.#issuers.set(name, issuer);
    }
  }

  #parse(text: string): PublishedConstraints {
    try {
      return text === '' ? {} : parsePublished(text);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'cannot parse published name constraints, overwriting them');
      return {};
    }
  }

  async #write(published: string): Promise<void> {
    const { client, log, mayWrite } = this.#options;
    const { text, leftOut } = formatPublished(this.#issuers);
    if (text === published || !mayWrite()) return;
    const path = `${this.#path}?fieldManager=${FIELD_MANAGER}`;
    await client.mergePatch(path, { data: { [CONSTRAINTS_KEY]: text } }, mayWrite);
    log.info({ issuers: this.#issuers.size - leftOut.length }, 'name constraints published');
    if (leftOut.length === 0) return;
    log.warn({ issuers: leftOut.slice(0, 10), count: leftOut.length }, 'name constraints too large to publish');
  }
}
