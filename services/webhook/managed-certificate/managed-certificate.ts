// The webhook's certificate without anybody's help: a CA that the replicas share in a Secret, a serving certificate that each
// makes for itself, and the CA's certificate in the webhook configuration. Looked at every few seconds; does what is due.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import type { KeyPair } from '../serving-certificate.ts';
import { publishCaBundle, readCaBundles, readConfiguration } from './ca-bundle.ts';
import {
  beginsAfter,
  type CaState,
  caBundle,
  decodeState,
  encodeState,
  endsNoSooner,
  findDue,
  hasEnded,
  introduce,
  isPastTwoThirds,
  markPublished,
  PROPAGATION_MS,
  promote,
  trustAlso,
} from './ca-state.ts';
import { createAuthority, issueServingCertificate } from './certificate-authority.ts';
import { type CertificateAuthority, readCaCertificates } from './own-authority.ts';

export interface ManagedCertificateOptions {
  readonly client: Pick<KubeClient, 'get' | 'update'>;
  readonly log: Logger;
  /** The Secret that the replicas share. The chart makes it, empty. */
  readonly secret: { readonly namespace: string; readonly name: string };
  /** Name of the ValidatingWebhookConfiguration. */
  readonly configuration: string;
  /** DNS names and IP addresses that the API server calls. */
  readonly names: readonly string[];
  readonly now: () => Date;
  /** Milliseconds; for tests. */
  readonly caLifetimeMs?: number;
  readonly leafLifetimeMs?: number;
}

/** Whatever else is in it is kept as it is. */
interface CaSecret {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 365 * DAY_MS;
const LEAF_LIFETIME_MS = 7 * DAY_MS;

/** As many replicas may start at the same moment and each be overtaken once by every other. */
const MAX_ATTEMPTS = 10;

/** How far the API server's clock may be behind this one. createAuthority backdates by as much. */
const MAX_SKEW_MS = 300_000;

const WAY_OUT = '"helm upgrade" of the release, or its manifests applied again, brings it back';

export class ManagedCertificate {
  readonly #options: ManagedCertificateOptions;
  readonly #secretPath: string;
  #seen: ReadonlyMap<string, number> = new Map();
  #leaf: { readonly pair: KeyPair; readonly caPem: string } | undefined;

  constructor(options: ManagedCertificateOptions) {
    this.#options = options;
    const [namespace, name] = [options.secret.namespace, options.secret.name].map(encodeURIComponent);
    this.#secretPath = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  }

  /** Does what is due and gives the key pair to serve with. Rejects when the world does not let it; ask again later. */
  readonly read = async (): Promise<KeyPair> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#look();
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !wasOvertaken(error)) throw error;
      }
    }
  };

  async #look(): Promise<KeyPair> {
    const { client, configuration } = this.#options;
    const found = await readConfiguration(client, configuration);
    if (found === undefined) throw new Error(`ValidatingWebhookConfiguration ${configuration} does not exist`);
    const { secret, state } = await this.#readOrFill(readCaCertificates(readCaBundles(found)));
    await publishCaBundle(client, found, caBundle(state));
    this.#markSeen(state);
    return this.#serve(await this.#advance(secret, state));
  }

  /** `published`: the CAs that the API server trusts. They stay trusted when the Secret was changed, since replicas serve by them. */
  async #readOrFill(published: readonly string[]): Promise<{ secret: CaSecret; state: CaState }> {
    const { client, now, secret } = this.#options;
    const found = await client.get<CaSecret>(this.#secretPath);
    // Not made here: who may create one Secret of a namespace may create any, a token of another ServiceAccount among them.
    if (found === undefined) throw new Error(`Secret ${secret.namespace}/${secret.name} does not exist; ${WAY_OUT}`);
    // Also what this replica serves by, in case both the Secret and the bundle were emptied.
    const served = this.#leaf === undefined ? [] : [this.#leaf.caPem];
    const decoded = decodeState(found.data);
    const isUsable = decoded !== undefined && !this.#isUnusable(decoded);
    const usable: CaState = isUsable ? decoded : { current: await this.#createCa(), former: [] };
    const state = trustAlso(usable, [...published, ...served], now());
    if (state === decoded) return { secret: found, state };
    const written = await this.#write(found, state);
    if (isUsable) this.#options.log.info({ secret }, 'former webhook CAs kept');
    else this.#options.log.info({ secret, replaced: found.data !== undefined }, 'webhook CA created');
    return { secret: written, state };
  }

  /** A CA that expired or is not valid yet cannot be handed over from, since the API server refuses it: it is replaced at once. */
  #isUnusable({ current }: CaState): boolean {
    const now = this.#options.now();
    return hasEnded(current.certPem, now) || beginsAfter(current.certPem, new Date(now.getTime() + MAX_SKEW_MS));
  }

  async #advance(secret: CaSecret, state: CaState): Promise<CaState> {
    const now = this.#options.now();
    // Whatever is in the state was published just before.
    const due = findDue(state, true, now);
    if (due === 'nothing') return state;
    const changed = await this.#change(due, state, now);
    await this.#write(secret, changed);
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

  /** Since when each CA of the bundle is published, as far as this replica knows. */
  #markSeen({ current, next }: CaState): void {
    const now = this.#options.now().getTime();
    const certPems = [current, ...(next ? [next] : [])].map(({ certPem }) => certPem);
    this.#seen = new Map(certPems.map(certPem => [certPem, this.#seen.get(certPem) ?? now]));
  }

  /** A CA that was put into the Secret from outside signs only when API servers have had time to learn of it. */
  #mustWaitFor({ certPem }: CertificateAuthority, served: string): boolean {
    const now = this.#options.now();
    const isLearned = now.getTime() - (this.#seen.get(certPem) ?? 0) >= PROPAGATION_MS;
    return !isLearned && !hasEnded(served, now) && !beginsAfter(served, now);
  }

  async #serve({ current }: CaState): Promise<KeyPair> {
    const { names, now, log, leafLifetimeMs: lifetimeMs = LEAF_LIFETIME_MS } = this.#options;
    const leaf = this.#leaf;
    const isKept =
      leaf?.caPem === current.certPem
        ? isAsGoodAsNew(leaf.pair.cert, current.certPem, now())
        : leaf !== undefined && this.#mustWaitFor(current, leaf.pair.cert);
    if (leaf !== undefined && isKept) return leaf.pair;
    const pair = await issueServingCertificate(current, names, { now: now(), lifetimeMs });
    log.info({ names }, 'serving certificate made');
    this.#leaf = { pair, caPem: current.certPem };
    return pair;
  }

  #createCa() {
    const { now, caLifetimeMs: lifetimeMs = CA_LIFETIME_MS } = this.#options;
    return createAuthority({ now: now(), lifetimeMs });
  }

  /** Writes on the version that was read: of two replicas one gets through, the other looks again. */
  async #write(found: CaSecret, state: CaState): Promise<CaSecret> {
    try {
      return await this.#options.client.update<CaSecret>(this.#secretPath, { ...found, data: encodeState(state) });
    } catch (error) {
      if (!(error instanceof TerminalError) || error.code !== 'invalid') throw error;
      const { namespace, name } = this.#options.secret;
      const remedy = `delete it ("kubectl delete secret -n ${namespace} ${name}"); then ${WAY_OUT}`;
      const why = found.immutable === true ? 'it is immutable' : error.message;
      throw new Error(`Secret ${namespace}/${name} cannot be updated with the webhook's CA (${why}): ${remedy}`, {
        cause: error,
      });
    }
  }
}

/** Not when it begins later, for it was made while the clock was ahead. None ends later than its CA. */
function isAsGoodAsNew(certPem: string, caPem: string, now: Date): boolean {
  return !beginsAfter(certPem, now) && (!isPastTwoThirds(certPem, now) || endsNoSooner(certPem, caPem));
}

/** Another replica wrote first: its work is looked at, and taken. */
function wasOvertaken(error: unknown): boolean {
  return error instanceof RetryableError && error.code === 'conflict';
}
