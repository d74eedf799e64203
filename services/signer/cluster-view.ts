// The signer's own copy of the CSRs, Issuers and ClusterIssuers of the cluster, kept up to date by three reflectors. Says
// what changed and whether the copy can be trusted; never decides what a change means.

import { type Issuer, toIssuer } from '@countersign/common/issuer.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import { Reflector, type ReflectorMetrics } from '@countersign/common/runtime/reflector.ts';
import { ISSUER_GROUP, type IssuerKind, type SignerRef } from '@countersign/common/signer-name.ts';
import { CSR_PATH } from './csr-protobuf.ts';
import { type AnnotationPolicy, type CsrRecord, toCsrRecord } from './csr-record.ts';
import { OpenRequests } from './open-requests.ts';

export interface ClusterViewOptions extends AnnotationPolicy {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: ReflectorMetrics;
  readonly onCsr: (name: string, now: CsrRecord | undefined, before: CsrRecord | undefined) => void;
  readonly onIssuer: (ref: SignerRef, now: Issuer | undefined, before: Issuer | undefined) => void;
}

export class ClusterView {
  readonly openRequests = new OpenRequests();
  readonly #csrs: Reflector<CsrRecord>;
  readonly #issuers: Reflector<Issuer>;
  readonly #clusterIssuers: Reflector<Issuer>;

  constructor(options: ClusterViewOptions) {
    const { client, log, metrics, onCsr } = options;
    this.#csrs = new Reflector<CsrRecord>({
      client,
      log,
      metrics,
      name: 'certificatesigningrequests',
      path: CSR_PATH,
      transform: raw => toCsrRecord(raw, Date.now(), options),
      onChange: (name, now, before) => {
        this.openRequests.update(name, now, before);
        onCsr(name, now, before);
      },
    });
    this.#issuers = issuerReflector(options, 'Issuer');
    this.#clusterIssuers = issuerReflector(options, 'ClusterIssuer');
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map(reflector => reflector.run(signal)));
  }

  /** Whether an issuer that is not found here is not there. */
  get knowsIssuers(): boolean {
    return this.#issuers.hasSynced && this.#clusterIssuers.hasSynced;
  }

  /** Why the copy cannot be trusted, one line a resource; empty when it can. */
  problems(now: number): string[] {
    return this.#reflectors.flatMap(reflector => {
      if (!reflector.hasSynced) return [`${reflector.name}: not listed yet`];
      return reflector.isFresh(now) ? [] : [`${reflector.name}: nothing heard from the API server for too long`];
    });
  }

  /** Lists at once what may be out of date, as after a spell in which the API server did not answer. */
  refresh(now: number): void {
    for (const reflector of this.#reflectors) if (reflector.hasSynced && !reflector.isFresh(now)) reflector.listAgain();
  }

  findCsr(name: string): CsrRecord | undefined {
    return this.#csrs.get(name);
  }

  findIssuer(ref: SignerRef): Issuer | undefined {
    return ref.kind === 'ClusterIssuer'
      ? this.#clusterIssuers.get(ref.name)
      : this.#issuers.get(`${ref.namespace}/${ref.name}`);
  }

  *allIssuers(): Iterable<SignerRef> {
    for (const issuer of this.#issuers.list()) yield toRef('Issuer', issuer);
    for (const issuer of this.#clusterIssuers.list()) yield toRef('ClusterIssuer', issuer);
  }

  get #reflectors(): Reflector<CsrRecord | Issuer>[] {
    return [this.#csrs, this.#issuers, this.#clusterIssuers] as Reflector<CsrRecord | Issuer>[];
  }
}

function issuerReflector({ client, log, metrics, onIssuer }: ClusterViewOptions, kind: IssuerKind): Reflector<Issuer> {
  const plural = `${kind.toLowerCase()}s`;
  return new Reflector<Issuer>({
    client,
    log,
    metrics,
    name: plural,
    path: `/apis/${ISSUER_GROUP}/v1/${plural}`,
    transform: toIssuer,
    onChange: (_, now, before) => onIssuer(toRef(kind, (now ?? before) as Issuer), now, before),
  });
}

function toRef(kind: IssuerKind, { metadata }: Issuer): SignerRef {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}
