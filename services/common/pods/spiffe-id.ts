// The SPIFFE ID of a pod (SPIFFE-ID section 2, X509-SVID section 2), in the form that Istio and cert-manager's
// csi-driver-spiffe use. Pure.

import { isNamespaceName, isObjectName } from '../object-name.ts';

/**
 * SPIFFE-ID section 2.1: at most 255 bytes. Go rejects a certificate that has a URI with an empty label in its host.
 */
const TRUST_DOMAIN = /^(?=.{1,255}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

export function isTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text);
}

export interface ServiceAccountRef {
  readonly namespace: string;
  readonly serviceAccountName: string;
}

/**
 * Throws for names that no object can have: the API server rejects them, and a slash in one would name another account.
 */
export function formatSpiffeId(trustDomain: string, { namespace, serviceAccountName }: ServiceAccountRef): string {
  if (!isTrustDomain(trustDomain)) throw new TypeError('not a trust domain');
  if (!isNamespaceName(namespace) || !isObjectName(serviceAccountName)) throw new TypeError('not a ServiceAccount');
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccountName}`;
}
