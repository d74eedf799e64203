// Whether a requester may reference an issuer, as far as the user of the command may find out. Sends access
// reviews only.

import type { Requester } from '@countersign/common/csr.ts';
import { referenceReviews } from '@countersign/common/reference-permission.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Api } from './api.ts';
import { ApiError } from './api-error.ts';

export type Permission =
  | { readonly kind: 'granted' | 'missing' | 'unneeded' }
  | { readonly kind: 'unknown'; readonly why: string };

const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const SELF_REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

interface Review {
  readonly status?: { readonly allowed?: boolean };
}

/** The user of the command, as the API server sees it. */
export async function whoAmI(api: Api): Promise<Requester> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await api.send<{ status?: { userInfo?: Requester } }>({ method: 'POST', path: SELF_REVIEWS, body });
  return answer.body.status?.userInfo ?? {};
}

/** Anyone may use a ClusterIssuer, unless the operator requires the permission for it too. */
export async function reviewPermission(api: Api, ref: SignerRef, requester: Requester): Promise<Permission> {
  return ref.kind === 'ClusterIssuer' ? { kind: 'unneeded' } : reviewReference(api, ref, requester);
}

/** Pods need the permission for every issuer. */
export async function reviewReference(api: Api, ref: SignerRef, requester: Requester): Promise<Permission> {
  try {
    return { kind: (await isAllowed(api, ref, requester)) ? 'granted' : 'missing' };
  } catch (error) {
    if (!(error instanceof ApiError && error.isForbidden)) throw error;
    return reviewOwn(api, ref, requester);
  }
}

/** Every user may review their own permissions. */
async function reviewOwn(api: Api, ref: SignerRef, requester: Requester): Promise<Permission> {
  const self = await whoAmI(api);
  if (self.username !== requester.username) {
    return { kind: 'unknown', why: 'you may not create subjectaccessreviews.authorization.k8s.io' };
  }
  return { kind: (await isAllowed(api, ref, undefined)) ? 'granted' : 'missing' };
}

async function isAllowed(api: Api, ref: SignerRef, requester: Requester | undefined): Promise<boolean> {
  for (const review of referenceReviews(ref, requester ?? {})) {
    const kind = requester === undefined ? 'SelfSubjectAccessReview' : review.kind;
    const path = `${AUTHORIZATION}/${kind.toLowerCase()}s`;
    const { body } = await api.send<Review>({ method: 'POST', path, body: { ...review, kind } });
    if (body.status?.allowed === true) return true;
  }
  return false;
}
