// The webhook's certificate without anybody's help: a CA that the replicas share in a Secret, a serving certificate that each
// makes for itself, and the CA's certificate in the webhook configuration. Looked at every few seconds; does what is due.

import type { Result } from '@countersign/common/result.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { OfferedKeyPair } from '../serving/serving-certificate.ts';
import { publishCaBundle, readCaBundles, readConfiguration, type WebhookConfiguration } from './ca-bundle.ts';
import { readCaCertificates } from './ca-certificate.ts';
import { judgeState } from './ca-judge.ts';
import { type CaSecret, CaSecretError, CaSecretStore, type SecretName, WAY_OUT } from './ca-secret.ts';
import { type CaState, findDue, introduce, markPublished, promote, trustAlso, trustedCas } from './ca-state.ts';
import { createAuthority } from './certificate-authority.ts';
import type { CertificateAuthority } from './own-authority.ts';
import { ServingLeaf } from './serving-leaf.ts';
import { isPastTwoThirds } from './validity.ts';

export interface ManagedCertificateOptions {
  readonly client: Pick<KubeClient, 'get' | 'update'>;
  readonly log: Logger;
  /** The Secret that the replicas share. The chart makes it, empty. */
  readonly secret: SecretName;
  /** Name of the ValidatingWebhookConfiguration. */
  readonly configuration: string;
  /** DNS names and IP addresses that the API server calls. */
  readonly names: readonly string[];
  readonly now: () => Date;
  /** Resolves after so many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/** The CAs as they are now, and where they are: in the Secret, or, as long as there is a problem with that, in memory alone. */
type Held =
  | { readonly state: CaState; readonly secret: CaSecret; readonly problem?: undefined }
  | { readonly state: CaState; readonly problem: CaSecretError };

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 365 * DAY_MS;
const LEAF_LIFETIME_MS = 7 * DAY_MS;

/** What API servers usually take, at most, to learn of a new caBundle: others serve meanwhile, so that a start may wait for it. */
const FIRST_USE_MS = 2_000;

/** As many replicas may start at the same moment and each be overtaken once by every other. */
const MAX_ATTEMPTS = 10;

export class ManagedCertificate {
  readonly #options: ManagedCertificateOptions;
  readonly #store: CaSecretStore;
  readonly #leaf: ServingLeaf;
  /** The CA of this replica alone, while the Secret can hold none. */
  #own: CertificateAuthority | undefined;

  constructor(options: ManagedCertificateOptions) {
    const { client, secret, log, names, now } = options;
    this.#options = options;
    this.#store = new CaSecretStore(client, secret);
    this.#leaf = new ServingLeaf({ log, names, now, lifetimeMs: LEAF_LIFETIME_MS });
  }

  /** Does what is due and gives the key pair to serve with. Rejects when the world does not let it; ask again later. */
  readonly read = async (): Promise<OfferedKeyPair> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#look();
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !wasOvertaken(error)) throw error;
      }
    }
  };

  async #look(): Promise<OfferedKeyPair> {
    const { client, configuration } = this.#options;
    const found = await readConfiguration(client, configuration);
    if (found === undefined) {
      throw new Error(`ValidatingWebhookConfiguration ${configuration} does not exist; ${WAY_OUT}`);
    }
    const published = readCaCertificates(readCaBundles(found));
    const held = await this.#settle(published);
    await this.#publish(found, published, held);
    const { state, problem } = await this.#advance(held);
    const pair = await this.#leaf.serve(state.current);
    return problem === undefined ? pair : { ...pair, problem };
  }

  /** `published`: the CAs that the API server trusts. They stay trusted when the Secret was changed, since replicas serve by them. */
  async #settle(published: readonly string[]): Promise<Held> {
    const now = this.#options.now();
    const secret = await this.#store.read();
    // Also what this replica serves by, in case both the Secret and the bundle were emptied.
    const { caPems: served } = this.#leaf;
    const judged = await judgeState(secret?.data, { now, proven: served });
    const usable = judged.ok ? judged.value : { current: await this.#ownCa(), former: [] };
    const state = trustAlso(usable, [...published, ...served], now);
    const isUnchanged = judged.ok && state === usable && secret !== undefined;
    const held = isUnchanged ? { state, secret } : await this.#replace(secret, state, judged);
    if (judged.ok || held.problem === undefined) this.#own = undefined;
    return held;
  }

  async #replace(secret: CaSecret | undefined, state: CaState, judged: Result<CaState>): Promise<Held> {
    const held = await this.#keep(secret, state);
    if (held.problem === undefined) this.#logChange(secret, judged.ok ? undefined : judged.error);
    return held;
  }

  /** `fault`: why the Secret had no CA that could be used. */
  #logChange(before: CaSecret | undefined, fault: string | undefined): void {
    const { log, secret } = this.#options;
    if (fault === undefined) log.info({ secret }, 'former webhook CAs kept');
    else if (before?.data === undefined) log.info({ secret }, 'webhook CA created');
    else log.warn({ secret, fault }, 'webhook CA replaced');
  }

  /** In the Secret if it can hold them. */
  async #keep(secret: CaSecret | undefined, state: CaState): Promise<Held> {
    try {
      return { state, secret: await this.#store.write(secret, state) };
    } catch (error) {
      if (error instanceof CaSecretError) return { state, problem: error };
      throw error;
    }
  }

  async #publish(found: WebhookConfiguration, published: readonly string[], { state, problem }: Held): Promise<void> {
    const trusted = trustedCas(state);
    // Replicas that share no Secret put the CAs in different orders, and would overwrite each other's forever.
    const isDone = problem !== undefined && trusted.every(certPem => published.includes(certPem));
    if (!isDone) await publishCaBundle(this.#options.client, found, trusted.join(''));
    this.#leaf.notePublished(trusted);
    const isStart = this.#leaf.caPems.length === 0 && published.length > 0;
    if (isStart && !published.includes(state.current.certPem)) await this.#options.wait(FIRST_USE_MS);
  }

  async #advance(held: Held): Promise<Held> {
    if (held.problem !== undefined) return held;
    const now = this.#options.now();
    // Whatever is in the state was published just before.
    const due = findDue(held.state, true, now);
    if (due === 'nothing') return held;
    const changed = await this.#keep(held.secret, await this.#change(due, held.state, now));
    if (changed.problem !== undefined) return { state: held.state, problem: changed.problem };
    this.#options.log.info({ step: due }, 'webhook CA rotates');
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

/** Another replica wrote first: its work is looked at, and taken. */
function wasOvertaken(error: unknown): boolean {
  return error instanceof RetryableError && error.code === 'conflict';
}
