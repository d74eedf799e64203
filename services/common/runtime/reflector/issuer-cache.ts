// The Issuers and ClusterIssuers of the cluster, cached by signer and webhook with two reflectors. Reports changes and
// whether the cache can be trusted; never decides what a change means.

import { type Issuer, toIssuer } from '../../issuers/issuer.ts';
import { ISSUER_RESOURCES, type IssuerKind, type IssuerRef } from '../../signer-name.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Logger } from '../process/log.ts';
import { Reflector, type ReflectorMetrics } from './reflector.ts';

export interface IssuerCacheOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  readonly log: Logger;
  readonly metrics: ReflectorMetrics;
  /** `now` or `before` is undefined if the issuer did not exist. */
  readonly onChange?: (ref: IssuerRef, now: Issuer | undefined, before: Issuer | undefined) => void;
}

export class IssuerCache {
  readonly #reflectors: Readonly<Record<IssuerKind, Reflector<Issuer>>>;

  constructor(options: IssuerCacheOptions) {
    this.#reflectors = {
      Issuer: createReflector(options, 'Issuer'),
      ClusterIssuer: createReflector(options, 'ClusterIssuer'),
    };
  }

  /** The reflectors of both kinds, for readiness. */
  get reflectors(): readonly Reflector<Issuer>[] {
    return Object.values(this.#reflectors);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.reflectors.map(reflector => reflector.run(signal)));
  }

  /** Whether an issuer that is not cached does not exist. */
  get hasSynced(): boolean {
    return this.reflectors.every(({ hasSynced }) => hasSynced);
  }

  /** Whether the cached issuers of the kind are complete and up to date. */
  isFresh(kind: IssuerKind, now: number): boolean {
    const reflector = this.#reflectors[kind];
    return reflector.hasSynced && reflector.isFresh(now);
  }

  find({ kind, namespace, name }: IssuerRef): Issuer | undefined {
    return this.#reflectors[kind].get(ISSUER_RESOURCES[kind].isNamespaced ? `${namespace}/${name}` : name);
  }

  *all(): Iterable<IssuerRef> {
    for (const kind of ['Issuer', 'ClusterIssuer'] as const) {
      for (const issuer of this.#reflectors[kind].list()) yield toRef(kind, issuer);
    }
  }
}

function createReflector({ onChange, ...options }: IssuerCacheOptions, kind: IssuerKind): Reflector<Issuer> {
  const { group, plural } = ISSUER_RESOURCES[kind];
  return new Reflector<Issuer>({
    ...options,
    name: plural,
    path: `/apis/${group}/v1/${plural}`,
    transform: toIssuer,
    onChange: (_, now, before) => onChange?.(toRef(kind, (now ?? before) as Issuer), now, before),
  });
}

function toRef(kind: IssuerKind, { metadata }: Issuer): IssuerRef {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}
