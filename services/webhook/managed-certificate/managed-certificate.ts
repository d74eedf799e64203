// The webhook's certificate without anybody's help: a CA that the replicas share in a Secret, a serving certificate that each
// makes for itself, and the CA's certificate in the webhook configuration. Looked at every few seconds; does what is due.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import type { KeyPair } from '../serving-certificate.ts';
import { publishCaBundle } from './ca-bundle.ts';
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
  promote,
} from './ca-state.ts';
import { createAuthority, issueServingCertificate } from './certificate-authority.ts';

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
}

const DAY_MS = 86_400_000;
const CA_LIFETIME_MS = 365 * DAY_MS;
const LEAF_LIFETIME_MS = 7 * DAY_MS;

/** As many replicas may start at the same moment and each be overtaken once by every other. */
const MAX_ATTEMPTS = 10;

const WAY_OUT = '"helm upgrade" of the release, or its manifests applied again, brings it back';

export class ManagedCertificate {
  readonly #options: ManagedCertificateOptions;
  readonly #secretPath: string;
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
    const { secret, state } = await this.#readOrFill();
    const isPublished = await publishCaBundle(this.#options.client, this.#options.configuration, caBundle(state));
    if (!isPublished) throw new Error(`ValidatingWebhookConfiguration ${this.#options.configuration} does not exist`);
    return this.#serve(await this.#advance(secret, state));
  }

  async #readOrFill(): Promise<{ secret: CaSecret; state: CaState }> {
    const { client, log, secret } = this.#options;
    const found = await client.get<CaSecret>(this.#secretPath);
    // Not made here: who may create one Secret of a namespace may create any, a token of another ServiceAccount among them.
    if (found === undefined) throw new Error(`Secret ${secret.namespace}/${secret.name} does not exist; ${WAY_OUT}`);
    const state = decodeState(found.data);
    if (state !== undefined && !this.#isOver(state)) return { secret: found, state };
    const created: CaState = { current: await this.#createCa(), former: this.#served() };
    const written = await this.#write(found, created);
    log.info({ secret, replaced: found.data !== undefined }, 'webhook CA created');
    return { secret: written, state: created };
  }

  /** The CA that the replicas serve by until they have looked: it stays in the bundle when its Secret was emptied or made anew. */
  #served(): string[] {
    const { caPem } = this.#leaf ?? {};
    return caPem === undefined || hasEnded(caPem, this.#options.now()) ? [] : [caPem];
  }

  /**
   * A CA that ended while no replica ran cannot be handed over from: it is replaced at once. One that has not begun is left: whose
   * clock is wrong cannot be told here, and replicas that replace each other's CA would not come to rest.
   */
  #isOver({ current }: CaState): boolean {
    return hasEnded(current.certPem, this.#options.now());
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

  async #serve({ current }: CaState): Promise<KeyPair> {
    const { names, now, log, leafLifetimeMs: lifetimeMs = LEAF_LIFETIME_MS } = this.#options;
    if (this.#leaf?.caPem === current.certPem && isAsGoodAsNew(this.#leaf.pair.cert, current.certPem, now()))
      return this.#leaf.pair;
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
  #write(found: CaSecret, state: CaState): Promise<CaSecret> {
    return this.#options.client.update<CaSecret>(this.#secretPath, { ...found, data: encodeState(state) });
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
