// Gathers the facts for one admission: the requester's permission, the issuer, and, for an admitted CSR, the Secret
// that a warning may be about. Only reads and sends access reviews; decides nothing.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { type Asked, askedBy } from '@countersign/common/approval/request/judged-request.ts';
import type { CertificateSigningRequest, Requester } from '@countersign/common/csr.ts';
import { type Issuer, secretNamespace } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { referenceReviews, type SubjectAccessReview } from '@countersign/common/reference-permission.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { ok } from '@countersign/common/result.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { isAnyAllowed } from '@countersign/common/runtime/kube/access-review.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { KnownApproval, PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import type { SecretRef } from '@countersign/common/secret.ts';
import { resourceOf, type SignerRef } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import type { AdmissionScope, Observation } from './admit.ts';
import type { ConstraintSource } from './constraints-view.ts';
import { within } from './deadline.ts';
import type { IssuerSource } from './issuer-view.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { Permission, PermissionCache } from './permission-cache.ts';
import type { SecretFacts, SecretFactsReader } from './secret-facts.ts';

/**
 * The access reviews and the Secret read (Deps.secrets, 500 ms) together stay below the API server's timeout of 5 s.
 */
export const REVIEW_TIMEOUT_MS = 3_400;
export const SECRET_TIMEOUT_MS = 500;

/** The approval policies, and what follows if none allows a request. */
export interface ApprovalSource {
  readonly cache: Pick<PolicyCache, 'evaluate'>;
  readonly mode: 'warn' | 'deny';
}

export interface Deps {
  readonly client: Pick<KubeClient, 'create'>;
  readonly issuers: IssuerSource;
  /** If absent, no request is denied because of name constraints. */
  readonly constraints?: ConstraintSource;
  /** If absent, no Secret is read and no warning mentions one. */
  readonly secrets?: Pick<SecretFactsReader, 'read'>;
  /** If absent, approval policies are not evaluated. */
  readonly approvals?: ApprovalSource;
  readonly clusterResourceNamespace: string;
  readonly metrics: WebhookMetrics;
  /** If absent, every admission sends access reviews. */
  readonly permissions?: Pick<PermissionCache, 'find'>;
  /** For all access reviews of one admission together. */
  readonly reviewTimeoutMs: number;
}

/** Rejects with RetryableError or TerminalError when the access review fails. */
export async function observe(scope: AdmissionScope, requester: Requester, deps: Deps): Promise<Observation> {
  if (scope.kind !== 'validate' || scope.ref === undefined) {
    return { permission: 'unneeded', issuer: 'unknown', constrained: [] };
  }
  const permission = scope.needsPermission ? await reviewPermission(scope.ref, requester, deps) : 'unneeded';
  const issuer = deps.issuers.find(scope.ref);
  const mayKnow = permission !== 'missing' && typeof issuer !== 'string';
  return { permission, issuer, constrained: mayKnow ? findConstrained(scope.ref, issuer, deps) : [] };
}

/**
 * Public, since every certificate chain of the issuer shows them, but still withheld from requesters who may not use it
 * (ADR 9).
 */
function findConstrained(ref: SignerRef, issuer: Issuer, { constraints }: Deps): Observation['constrained'] {
  const { uid } = issuer.metadata;
  const hasCa = signingSecret(issuer.spec, undefined)?.holdsCa === true;
  return constraints === undefined || uid === undefined || !hasCa ? [] : constraints.find(ref, uid);
}

function reviewPermission(ref: SignerRef, requester: Requester, deps: Deps): Promise<Permission> {
  const giveUpAt = performance.now() + deps.reviewTimeoutMs;
  // A caller that joined another caller's failed review may be past its deadline, and no longer waits for an answer.
  const ask = async () => {
    if (performance.now() > giveUpAt) throw new RetryableError('access review deadline exceeded', { code: 'timeout' });
    return askInTurn(referenceReviews(ref, requester), deps);
  };
  return within(deps.reviewTimeoutMs, deps.permissions?.find(ref, requester, ask) ?? ask());
}

/** The second review, for the name `*`, is sent only if the first denies: most requesters hold the exact name. */
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

/** The Secret that the issuer will sign with, as observed. */
export interface SecretObservation {
  readonly ref: SecretRef;
  readonly facts: SecretFacts;
}

/** The evaluation of the approval policies; undefined if they are not evaluated, not known yet, or cannot be. */
export function evaluateApproval(
  { csr, requested }: Pick<Admitted, 'csr' | 'requested'>,
  requester: Requester,
  { approvals, policy }: Pick<Deps, 'approvals'> & { readonly policy: RequestPolicy },
): { readonly approval: KnownApproval; readonly asked: Asked } | undefined {
  if (approvals === undefined) return undefined;
  const described = requested ? ok(requested) : toRequestedCertificate(csr, policy);
  const asked = { ...askedBy(csr), requester };
  const approval = described.ok ? approvals.cache.evaluate(described, asked) : undefined;
  return approval && { approval, asked };
}

/** An admitted CSR, and the facts that its admission was based on. */
export interface Admitted extends Pick<Observation, 'permission' | 'issuer'> {
  readonly csr: CertificateSigningRequest;
  readonly ref: SignerRef;
  /** Undefined if another signer validates the request. */
  readonly requested: RequestedCertificate | undefined;
  /** What the approval policies lack to approve it. */
  readonly approvalWarning?: string | undefined;
}

/** Best effort, for warnings: undefined if there is no Secret to read, or it cannot be read in time. Never rejects. */
export async function readSigningSecret(admitted: Admitted, deps: Deps): Promise<SecretObservation | undefined> {
  const name = secretName(admitted);
  if (name === undefined) return undefined;
  const ref = { namespace: secretNamespace(admitted.ref, deps.clusterResourceNamespace), name };
  const facts = await deps.secrets?.read(ref);
  return facts && { ref, facts };
}

/**
 * The Secret that the issuer will sign with, if the requester was granted permission to use the issuer. A name that the
 * requester chose is looked up only in the namespace of an Issuer: in the cluster resource namespace it could be
 * anyone's Secret (ADR 9).
 */
function secretName({ csr, ref, permission, issuer }: Admitted): string | undefined {
  if (typeof issuer === 'string' || permission !== 'granted') return undefined;
  const secret = signingSecret(issuer.spec, readPrivateKeySecretName(csr));
  return secret?.namedBy === 'requester' && !resourceOf(ref).isNamespaced ? undefined : secret?.name;
}
