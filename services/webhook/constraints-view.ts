// The name constraints of issuers that the signer publishes, cached by a reflector of that one ConfigMap. Returns
// none for an issuer that was recreated since, or while the cached object may be stale: then only the signer checks
// the names.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import {
  CONSTRAINTS_CONFIG_MAP,
  CONSTRAINTS_KEY,
  findPublished,
  fromPublished,
  type PublishedConstraints,
  type PublishedIssuer,
  parsePublished,
} from '@countersign/common/issuers/published-constraints.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { Reflector, type ReflectorMetrics } from '@countersign/common/runtime/reflector/reflector.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';

export interface ConstraintSource {
  /** The constrained CAs of the issuer with this uid; empty if there are none or they are unknown. */
  find(ref: SignerRef, uid: string): readonly ConstrainedCa[];
}

export interface ConstraintsViewOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  readonly namespace: string;
  readonly log: Logger;
  readonly metrics: ReflectorMetrics;
}

interface Published {
  readonly metadata: ObjectMeta;
  readonly issuers: PublishedConstraints;
}

export class ConstraintsView implements ConstraintSource {
  readonly #key: string;
  readonly #reflector: Reflector<Published>;
  /** Decoded on first use: few of the published issuers are ever looked up. */
  readonly #decoded = new WeakMap<PublishedIssuer, readonly ConstrainedCa[]>();

  constructor({ namespace, ...options }: ConstraintsViewOptions) {
    this.#key = `${namespace}/${CONSTRAINTS_CONFIG_MAP}`;
    const selector = encodeURIComponent(`metadata.name=${CONSTRAINTS_CONFIG_MAP}`);
    this.#reflector = new Reflector<Published>({
      ...options,
      name: 'configmaps',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps?fieldSelector=${selector}`,
      transform: toPublishedMap,
      onChange: () => undefined,
    });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }

  find(ref: SignerRef, uid: string): readonly ConstrainedCa[] {
    const published = this.#reflector.isFresh(Date.now()) ? this.#reflector.get(this.#key) : undefined;
    const issuer = published && findPublished(published.issuers, ref, uid);
    if (issuer === undefined) return [];
    const cas = this.#decoded.get(issuer) ?? fromPublished(issuer);
    this.#decoded.set(issuer, cas);
    return cas;
  }
}

function toPublishedMap(raw: unknown): Published {
  const { metadata, data } = raw as { metadata: ObjectMeta; data?: Readonly<Record<string, string>> };
  const text = data?.[CONSTRAINTS_KEY] ?? '';
  const { name, namespace, resourceVersion } = metadata;
  return {
    metadata: { name, ...(namespace && { namespace }), ...(resourceVersion && { resourceVersion }) },
    issuers: text === '' ? {} : parsePublished(text),
  };
}
