// Manages the webhook's certificate: a CA that the replicas share in a Secret, a serving certificate that each replica
// issues for itself, and the caBundle in the webhook configuration. Reconciled every few seconds.

import type { Result } from '@countersign/common/result.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { SecretRef } from '@countersign/common/secret.ts';
import type { OfferedKeyPair } from '../serving/serving-certificate.ts';
import { publishCaBundle, readCaBundles, readConfiguration, type WebhookConfiguration } from './ca-bundle.ts';
import { readCaCertificates } from './ca-certificate.ts';
import { checkState } from './ca-check.ts';
import { type CaSecret, CaSecretError, CaSecretStore, RECREATE_HINT } from './ca-secret.ts';
import { addTrusted, type CaState, findDue, introduce, markPublished, promote, trustedCas } from './ca-state.ts';
import { createAuthority } from './certificate-authority.ts';
import type { CertificateAuthority } from './own-authority.ts';
import { ServingLeaf } from './serving-leaf.ts';
import { isPastTwoThirds } from './validity.ts';

export interface ManagedCertificateOptions {
  readonly client: Pick<KubeClient, 'get' | 'update'>;
  readonly log: Logger;
  /** The Secret that the replicas share. The chart creates it empty. */
  readonly secret: SecretRef;
  /** Name of the ValidatingWebhookConfiguration. */
  readonly configuration: string;
  /** DNS names and IP addresses that the API server calls. */
  readonly names: readonly string[];
  readonly now: () => Date;
  /** Resolves after this many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/** The current CAs, and where they are stored: in the Secret, or only in memory while the Secret has a problem. */
type Held =
  | { readonly state: CaState; readonly secret: CaSecret; readonly problem?: undefined }
  | { readonly state: CaState; readonly problem: CaSecretError };

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 365 * DAY_MS;
const LEAF_LIFETIME_MS = 7 * DAY_MS;

/**
 * API servers usually notice a new caBundle within this time. A starting replica can wait, since others
 * serve meanwhile.
 */
const FIRST_USE_MS = 2_000;

/** Allows this many replicas to start at the same moment, each conflicting once with every other. */
const MAX_ATTEMPTS = 10;

export class ManagedCertificate {
  readonly #options: ManagedCertificateOptions;
  readonly #secrets: CaSecretStore;
  readonly #leaf: ServingLeaf;
  /** This replica's own CA, while the Secret cannot store one. */
  #own: CertificateAuthority | undefined;

  constructor(options: ManagedCertificateOptions) {
    const { client, secret, log, names, now } = options;
    this.#options = options;
    this.#secrets = new CaSecretStore(client, secret);
    this.#leaf = new ServingLeaf({ log, names, now, lifetimeMs: LEAF_LIFETIME_MS });
  }

  /**
   * Reconciles, and returns the key pair to serve with. Rejects when the cluster does not allow it; the caller
   * retries later.
   */
  readonly read = async (): Promise<OfferedKeyPair> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#reconcile();
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isConflict(error)) throw error;
      }
    }
  };

  async #reconcile(): Promise<OfferedKeyPair> {
    const { client, configuration } = this.#options;
    const found = await readConfiguration(client, configuration);
    if (found === undefined) {
      throw new Error(`ValidatingWebhookConfiguration ${configuration} does not exist; ${RECREATE_HINT}`);
    }
    const published = readCaCertificates(readCaBundles(found));
    const held = await this.#resolve(published);
    await this.#publish(found, published, held);
    const { state, problem } = await this.#advance(held);
    const pair = await this.#leaf.serve(state.current);
    return problem === undefined ? pair : { ...pair, problem };
  }

  /**
   * `published`: the CAs that the API server trusts. They stay trusted when the Secret changes, since replicas may
   * still use them.
   */
  async #resolve(published: readonly string[]): Promise<Held> {
    const now = this.#options.now();
    const secret = await this.#secrets.read();
    // Also the CA of this replica's certificate, in case both the Secret and the bundle were emptied.
    const { caPems: served } = this.#leaf;
    const checked = await checkState(secret?.data, { now, proven: served });
    const usable = checked.ok ? checked.value : { current: await this.#ownCa(), former: [] };
    const state = addTrusted(usable, [...published, ...served], now);
    const isUnchanged = checked.ok && state === usable && secret !== undefined;
    const held = isUnchanged ? { state, secret } : await this.#replace(secret, state, checked);
    if (checked.ok || held.problem === undefined) this.#own = undefined;
    return held;
  }

  async #replace(secret: CaSecret | undefined, state: CaState, checked: Result<CaState>): Promise<Held> {
    const held = await this.#store(secret, state);
    if (held.problem === undefined) this.#logChange(secret, checked.ok ? undefined : checked.error);
    return held;
  }

  /** `fault`: why the Secret had no usable CA. */
  #logChange(before: CaSecret | undefined, fault: string | undefined): void {
    const { log, secret } = this.#options;
    if (fault === undefined) log.info({ secret }, 'former webhook CAs kept');
    else if (before?.data === undefined) log.info({ secret }, 'webhook CA created');
    else log.warn({ secret, fault }, 'webhook CA replaced');
  }

  /** Stores the CAs in the Secret if possible. */
  async #store(secret: CaSecret | undefined, state: CaState): Promise<Held> {
    try {
      return { state, secret: await this.#secrets.write(secret, state) };
    } catch (error) {
      if (error instanceof CaSecretError) return { state, problem: error };
      throw error;
    }
  }

  async #publish(found: WebhookConfiguration, published: readonly string[], { state, problem }: Held): Promise<void> {
    const trusted = trustedCas(state);
    // Replicas that share no Secret order the CAs differently, and would overwrite each other's bundle forever.
    const isDone = problem !== undefined && trusted.every(certPem => published.includes(certPem));
    if (!isDone) await publishCaBundle(this.#options.client, found, trusted.join(''));
    this.#leaf.notePublished(trusted);
    const isStart = this.#leaf.caPems.length === 0 && published.length > 0;
    if (isStart && !published.includes(state.current.certPem)) await this.#options.wait(FIRST_USE_MS);
  }

  async #advance(held: Held): Promise<Held> {
    if (held.problem !== undefined) return held;
    const now = this.#options.now();
    // #publish has just published everything in the state.
    const due = findDue(held.state, true, now);
    if (due === 'nothing') return held;
    const changed = await this.#store(held.secret, await this.#change(due, held.state, now));
    if (changed.problem !== undefined) return { state: held.state, problem: changed.problem };
    this.#options.log.info({ step: due }, 'webhook CA rotation step');
    return changed;
  }

  async #change(due: 'introduce' | 'mark-published' | 'promote', state: CaState, now: Date): Promise<CaState> {
    switch (due) {
      case 'introduce':
        return introduce(state, await this.#createCa());
      case 'mark-published':
        return markPublished(state, now);
      case 'promote':
        return promote(state, now);
    }
  }

  async #ownCa(): Promise<CertificateAuthority> {
    if (this.#own === undefined || isPastTwoThirds(this.#own.certPem, this.#options.now())) {
      this.#own = await this.#createCa();
    }
    return this.#own;
  }

  #createCa(): Promise<CertificateAuthority> {
    return createAuthority({ now: this.#options.now(), lifetimeMs: CA_LIFETIME_MS });
  }
}

/** Another replica wrote first; the next attempt reads its result. */
function isConflict(error: unknown): boolean {
  return error instanceof RetryableError && error.code === 'conflict';
}
