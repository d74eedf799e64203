// Brings the trust bundle of one issuer up to date with the Secret of the issuer, or leaves it to expire where the
// issuer has none. Knows no type of issuer: each type says what its anchors are.

import { type Issuer, PUBLISH_TRUST_BUNDLE } from '@countersign/common/issuers/issuer.ts';
import { ISSUER_GROUP, type IssuerRef } from '@countersign/common/signer-name.ts';
import { findHandler } from '../issuers/issuer-type.ts';
import type { SigningSettings } from '../observe.ts';
import type { BundlePublisher } from '../trust-bundles/bundle-publisher.ts';
import type { Publications } from '../trust-bundles/publications.ts';
import { type IssuerMaterialDeps, type KnownIssuer, readIssuerSecret } from './issuer-material.ts';

export interface IssuerBundleDeps extends IssuerMaterialDeps {
  readonly settings: Pick<SigningSettings, 'handlers' | 'clusterResourceNamespace'>;
  readonly publisher: Pick<BundlePublisher, 'publish' | 'orphan'>;
  readonly publications: Pick<Publications, 'settle' | 'settleNone'>;
  /** Which issuers have a bundle: all whose type has a CA, or those of them with an annotation. */
  readonly publish: 'all' | 'annotated';
}

/** `issuer` is undefined when it is gone. Throws what the reads and the publisher throw. */
export async function reconcileBundle(
  deps: IssuerBundleDeps,
  ref: IssuerRef,
  issuer: Issuer | undefined,
): Promise<void> {
  const handler = findHandler(deps.settings.handlers, issuer);
  if (issuer !== undefined && handler?.anchors !== undefined && isPublished(deps, issuer)) {
    return publish(deps, { ref, issuer, handler });
  }
  deps.publications.settleNone(ref);
  return deps.publisher.orphan(ref);
}

function isPublished({ publish: which }: IssuerBundleDeps, { metadata }: Issuer): boolean {
  return which === 'all' || metadata.annotations?.[PUBLISH_TRUST_BUNDLE] === 'true';
}

async function publish(deps: IssuerBundleDeps, known: KnownIssuer): Promise<void> {
  const { ref, issuer, handler } = known;
  const secret = await readIssuerSecret(deps, known);
  const subject = { apiVersion: `${ISSUER_GROUP}/v1`, kind: ref.kind, metadata: issuer.metadata };
  try {
    const found = secret && (await handler.anchors?.(await handler.load(secret)));
    await deps.publisher.publish({ ref, subject, found });
  } finally {
    // Requests go on with what is published, whatever has come of it.
    const version = secret?.secret?.metadata.resourceVersion;
    if (version !== undefined) deps.publications.settle(ref, version);
  }
}
