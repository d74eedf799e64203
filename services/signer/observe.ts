// Makes every read that a decision on one CSR needs, and none that it does not: once a check has decided, nothing further is
// read. What is remembered is good enough to sign with; observeNow reads it again, for what cannot be undone. Never writes.

import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { type Issuer, issuerPath, toIssuer } from '@countersign/common/issuer.ts';
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
  readonly client: Pick<KubeClient, 'create' | 'get'>;
  readonly findIssuer: (ref: SignerRef) => Issuer | undefined;
  /** As readSecret, but never from a cached object, and by a read that begins now. */
  readonly readSecretNow: IssuerDeps['readSecret'];
  readonly handlers: readonly IssuerTypeHandler[];
  readonly policy: IssuancePolicy;
}

export async function observe(deps: ObserveDeps, csr: CertificateSigningRequest, ref: SignerRef): Promise<Observation> {
  const seen = { csr, ref, issuer: deps.findIssuer(ref), policy: deps.policy };
  return complete(deps, seen, () => askMayReference(deps, csr, ref));
}

/** The same from the API server alone. The permission of the first observation was asked for in this run and holds. */
export async function observeNow(deps: ObserveDeps, { csr, ref, mayReference }: Observation): Promise<Observation> {
  const seen = { csr, ref, issuer: await readIssuer(deps, ref), policy: deps.policy };
  return complete({ ...deps, readSecret: deps.readSecretNow }, seen, async () => mayReference);
}

type Seen = Pick<Observation, 'csr' | 'ref' | 'issuer' | 'policy'>;

async function complete(
  deps: ObserveDeps,
  seen: Seen,
  ask: () => Promise<Observation['mayReference']>,
): Promise<Observation> {
  const { issuer, ...rest } = seen;
  const handler = findHandler(deps.handlers, issuer);
  if (issuer === undefined || handler === undefined) {
    return { ...seen, handler: undefined, mayReference: undefined, signer: undefined };
  }
  const known = { ...seen, handler, mayReference: await ask() };
  const isDecided = decideWithoutSigner(known) !== undefined;
  return { ...known, signer: isDecided ? undefined : await handler.observe(deps, { ...rest, issuer }) };
}

/** By a list of one: the signer may list issuers, and needs no right to get them. */
async function readIssuer({ client }: ObserveDeps, ref: SignerRef): Promise<Issuer | undefined> {
  const [collection, name] = splitPath(issuerPath(ref));
  try {
    const list = await client.get<{ items?: readonly unknown[] }>(
      `${collection}?fieldSelector=metadata.name%3D${name}`,
    );
    return list?.items?.map(toIssuer)[0];
  } catch (error) {
    throw asRetryableError(error);
  }
}

function splitPath(path: string): readonly [collection: string, name: string] {
  const end = path.lastIndexOf('/');
  return [path.slice(0, end), path.slice(end + 1)];
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
