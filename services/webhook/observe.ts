// Looks at the world for one admission: the requester's permission, the issuer, and, for a CSR that is let in, the Secret that
// a warning may be about. Only reads and access reviews; decides nothing.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest, Requester } from '@countersign/common/csr.ts';
import { type Issuer, secretNamespace } from '@countersign/common/issuer.ts';
import { signingSecret } from '@countersign/common/issuer-types.ts';
import { referenceReviews, type SubjectAccessReview } from '@countersign/common/reference-permission.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { isAnyAllowed } from '@countersign/common/runtime/kube/access-review.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Matter, Observation } from './admit.ts';
import type { ConstraintSource } from './constraints-view.ts';
import { within } from './deadline.ts';
import type { IssuerSource } from './issuer-view.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { Permission, PermissionCache } from './permission-cache.ts';
import type { SecretFacts, SecretFactsReader, SecretRef } from './secret-facts.ts';

/** The reviews and the read for the warnings (Deps.secrets, 500 ms) together stay below the API server's timeout of 5 s. */
export const REVIEW_TIMEOUT_MS = 3_400;
export const SECRET_TIMEOUT_MS = 500;

export interface Deps {
  readonly client: Pick<KubeClient, 'create'>;
  readonly issuers: IssuerSource;
  /** Without it no request is refused for name constraints. */
  readonly constraints?: ConstraintSource;
  /** Without it no Secret is read, and nothing is said of any. */
  readonly secrets?: Pick<SecretFactsReader, 'read'>;
  readonly clusterResourceNamespace: string;
  readonly metrics: WebhookMetrics;
  /** Without it every admission asks. */
  readonly permissions?: Pick<PermissionCache, 'find'>;
  /** For all access reviews of one admission together. */
  readonly reviewTimeoutMs: number;
}

/** Rejects with RetryableError or TerminalError when the access review is not answered. */
export async function observe(matter: Matter, requester: Requester, deps: Deps): Promise<Observation> {
  if (matter.kind !== 'judge' || matter.ref === undefined) {
    return { permission: 'unneeded', issuer: 'unknown', constrained: [] };
  }
  const permission = matter.needsPermission ? await reviewPermission(matter.ref, requester, deps) : 'unneeded';
  const issuer = deps.issuers.find(matter.ref);
  const mayKnow = permission !== 'missing' && typeof issuer !== 'string';
  return { permission, issuer, constrained: mayKnow ? findConstrained(matter.ref, issuer, deps) : [] };
}

/** Public facts, which are in every certificate chain of the issuer, and yet none for requesters who may not use it (ADR 9). */
function findConstrained(ref: SignerRef, issuer: Issuer, { constraints }: Deps): Observation['constrained'] {
  const { uid } = issuer.metadata;
  const hasCa = signingSecret(issuer.spec, undefined)?.holdsCa === true;
  return constraints === undefined || uid === undefined || !hasCa ? [] : constraints.find(ref, uid);
}

function reviewPermission(ref: SignerRef, requester: Requester, deps: Deps): Promise<Permission> {
  const giveUpAt = performance.now() + deps.reviewTimeoutMs;
  // Who waited for another's review, which failed, may be out of time: nobody waits for the answer any more.
  const ask = async () => {
    if (performance.now() > giveUpAt) throw new RetryableError('no time is left to ask', { code: 'timeout' });
    return askInTurn(referenceReviews(ref, requester), deps);
  };
  return within(deps.reviewTimeoutMs, deps.permissions?.find(ref, requester, ask) ?? ask());
}

/** The second review, for the name `*`, is only asked for when the first says no: most requesters hold the exact name. */
async function askInTurn(reviews: readonly SubjectAccessReview[], deps: Deps): Promise<Permission> {
  const stopTimer = deps.metrics.startAccessReview();
  let result: Permission | 'error' = 'error';
  try {
    result = (await isAnyAllowed(deps.client, reviews)) ? 'granted' : 'missing';
    return result;
  } finally {
    stopTimer(result);
  }
}

/** A Secret that the issuer will sign with, as it is. */
export interface SecretSeen {
  readonly ref: SecretRef;
  readonly facts: SecretFacts;
}

/** What a CSR that is let in asks for, and what its admission was decided on. */
export interface Admitted extends Pick<Observation, 'permission' | 'issuer'> {
  readonly csr: CertificateSigningRequest;
  readonly ref: SignerRef;
  /** Undefined where another signer has to judge it. */
  readonly requested: RequestedCertificate | undefined;
}

/** Best effort, for a warning: undefined where there is nothing to look at, or it cannot be read soon enough. Never rejects. */
export async function lookAtSecret(admitted: Admitted, deps: Deps): Promise<SecretSeen | undefined> {
  const name = secretName(admitted);
  if (name === undefined) return undefined;
  const ref = { namespace: secretNamespace(admitted.ref, deps.clusterResourceNamespace), name };
  const facts = await deps.secrets?.read(ref);
  return facts && { ref, facts };
}

/**
 * The Secret that the issuer will sign with, for a requester who has just been found permitted to use the issuer. A name that the
 * requester chose is looked up only in the namespace of an Issuer: in the cluster resource namespace it could name anyone's Secret
 * (ADR 9).
 */
function secretName({ csr, ref, permission, issuer }: Admitted): string | undefined {
  if (typeof issuer === 'string' || permission !== 'granted') return undefined;
  const secret = signingSecret(issuer.spec, readPrivateKeySecretName(csr));
  return secret?.namedBy === 'requester' && ref.kind === 'ClusterIssuer' ? undefined : secret?.name;
}
