// Looks at the world for one admission: the requester's permission, the issuer, and, for a CSR that is let in, the Secret that
// a warning may be about. Only reads and access reviews; decides nothing.

import { readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest, Requester } from '@countersign/common/csr.ts';
import { type Issuer, secretNamespace } from '@countersign/common/issuer.ts';
import { signingSecret } from '@countersign/common/issuer-types.ts';
import {
  ACCESS_REVIEWS,
  referenceReviews,
  type SubjectAccessReview,
} from '@countersign/common/reference-permission.ts';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Matter, Observation } from './admit.ts';
import type { ConstraintSource } from './constraints-view.ts';
import { within } from './deadline.ts';
import type { IssuerKnowledge, IssuerSource } from './issuer-view.ts';
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
    return { permission: 'unneeded', issuer: undefined, constrained: [] };
  }
  const permission = matter.needsPermission ? await reviewPermission(matter.ref, requester, deps) : 'unneeded';
  const issuer = deps.issuers.find(matter.ref);
  if (typeof issuer === 'string') return { permission, issuer: undefined, constrained: [] };
  const mayKnow = permission !== 'missing';
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
    result = await askFor(reviews, deps);
    return result;
  } finally {
    stopTimer(result);
  }
}

async function askFor(reviews: readonly SubjectAccessReview[], { client }: Deps): Promise<Permission> {
  for (const review of reviews) {
    const { status } = await send(review, client);
    if (typeof status?.allowed !== 'boolean') {
      throw new RetryableError('the access review came back without an answer', { code: 'unknown' });
    }
    if (status.allowed) return 'granted';
  }
  return 'missing';
}

/** Twice where the connection broke, as it does under requests when an API server restarts: a review changes nothing. */
function send(review: SubjectAccessReview, client: Deps['client']): Promise<SubjectAccessReview> {
  const ask = () => client.create<SubjectAccessReview>(ACCESS_REVIEWS, review);
  return ask().catch((error: unknown) => {
    if (error instanceof RetryableError && error.code === 'network') return ask();
    throw error;
  });
}

/** What the warnings are about; each part is undefined or `unknown` where there is nothing to be said. */
export interface Surroundings extends Pick<Observation, 'permission'> {
  readonly issuer: IssuerKnowledge;
  readonly secret?: { readonly ref: SecretRef; readonly facts: SecretFacts };
}

/** A CSR that is let in, and what the access reviews of this very admission said. */
export interface Admitted extends Pick<Observation, 'permission'> {
  readonly csr: CertificateSigningRequest;
  readonly ref: SignerRef;
}

/** Best effort: what cannot be read, or not soon enough, is left out. Never rejects. */
export async function lookAround(admitted: Admitted, deps: Deps): Promise<Surroundings> {
  const { ref, permission } = admitted;
  const issuer = deps.issuers.find(ref);
  const name = secretName(admitted, issuer);
  if (name === undefined) return { issuer, permission };
  const secretRef = { namespace: secretNamespace(ref, deps.clusterResourceNamespace), name };
  const facts = await deps.secrets?.read(secretRef);
  return { issuer, permission, ...(facts !== undefined && { secret: { ref: secretRef, facts } }) };
}

/**
 * The Secret that the issuer will sign with, for a requester who has just been found permitted to use the issuer. A name that the
 * requester chose is looked up only in the namespace of an Issuer: in the cluster resource namespace it could name anyone's Secret
 * (ADR 9).
 */
function secretName({ csr, ref, permission }: Admitted, issuer: IssuerKnowledge): string | undefined {
  if (typeof issuer === 'string' || permission !== 'granted') return undefined;
  const secret = signingSecret(issuer.spec, readPrivateKeySecretName(csr));
  return secret?.namedBy === 'requester' && ref.kind === 'ClusterIssuer' ? undefined : secret?.name;
}
