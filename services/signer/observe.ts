// Makes every read that a decision on one CSR needs, and none that it does not: once a check has decided, nothing further is
// read. Never writes.

import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import {
  ACCESS_REVIEWS,
  needsPermission,
  referenceReviews,
  type SubjectAccessReview,
} from '@countersign/common/reference-permission.ts';
import { asRetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { decideWithoutSigner, type Observation } from './decide.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import { findHandler, type IssuerDeps, type IssuerTypeHandler } from './issuers/issuer-type.ts';

export interface ObserveDeps extends IssuerDeps {
  readonly client: Pick<KubeClient, 'create'>;
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  readonly handlers: readonly IssuerTypeHandler[];
  readonly policy: IssuancePolicy;
}

export async function observe(deps: ObserveDeps, csr: CertificateSigningRequest, ref: SignerRef): Promise<Observation> {
  const { policy } = deps;
  const issuer = deps.findIssuer(ref);
  const handler = findHandler(deps.handlers, issuer);
  if (issuer === undefined || handler === undefined) return unsupported({ csr, ref, issuer, policy });
  const known = { csr, ref, issuer, policy, handler, mayReference: await askMayReference(deps, csr, ref) };
  const isDecided = decideWithoutSigner(known) !== undefined;
  return { ...known, signer: isDecided ? undefined : await handler.observe(deps, { csr, ref, issuer, policy }) };
}

function unsupported(seen: Pick<Observation, 'csr' | 'ref' | 'issuer' | 'policy'>): Observation {
  return { ...seen, handler: undefined, mayReference: undefined, signer: undefined };
}

/** Asks for the issuer's name, then for the literal name `*`, as cert-manager does. */
async function askMayReference(
  deps: ObserveDeps,
  csr: CertificateSigningRequest,
  ref: SignerRef,
): Promise<boolean | undefined> {
  if (!needsPermission(ref, deps.policy)) return undefined;
  for (const review of referenceReviews(ref, csr.spec)) if (await isAllowed(deps, review)) return true;
  return false;
}

async function isAllowed({ client }: ObserveDeps, review: SubjectAccessReview): Promise<boolean> {
  try {
    return (await client.create<SubjectAccessReview>(ACCESS_REVIEWS, review)).status?.allowed === true;
  } catch (error) {
    throw asRetryableError(error);
  }
}
