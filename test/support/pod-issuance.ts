// Issues certificates for PodCertificateRequests as the signer does, with a CA at hand, without a cluster.

import type { PodCertificateRequest } from '@countersign/common/pods/pod-certificate-request.ts';
import { DEFAULT_TERMS, type PodTerms, readPodTerms } from '@countersign/common/pods/pod-terms.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import type { IssuerIdentity, Profile } from '@countersign/signer/issuance/profile.ts';
import { signCertificate } from '@countersign/signer/issuance/sign.ts';
import { prepareLocally } from '@countersign/signer/issuers/local-issuance.ts';
import {
  DEFAULT_POD_POLICY,
  type PodCertificatePolicy,
  toPodRequestedCertificate,
} from '@countersign/signer/requests/pod-certificate/pod-requested-certificate.ts';
import { readCaCertificates, readKey, valueOf } from './pki.ts';
import { NO_URLS } from './profiles.ts';

const KEY = readKey('p256-root');
const [ROOT] = readCaCertificates('root');

/** As an issuer without annotations has them. */
export const TERMS: PodTerms = valueOf(readPodTerms({}, DEFAULT_TERMS));

export interface PodIssuance {
  readonly request: PodCertificateRequest;
  readonly now: Date;
  readonly terms?: PodTerms;
  readonly podPolicy?: PodCertificatePolicy;
  /** What the operator says of CSRs. */
  readonly policy?: Partial<IssuancePolicy>;
  /** When the CA expires, if not in a hundred years. */
  readonly caNotAfter?: Date;
}

export interface IssuedToPod {
  readonly requested: RequestedCertificate;
  readonly profile: Profile;
  /** PEM, leaf first. */
  readonly chainPem: string;
}

export function caOf({ caNotAfter }: Pick<PodIssuance, 'caNotAfter'>): IssuerIdentity {
  if (ROOT === undefined) throw new TypeError('the vectors have no root');
  return caNotAfter === undefined ? ROOT : { ...ROOT, notAfter: caNotAfter };
}

export async function issueToPod(issuance: PodIssuance): Promise<IssuedToPod> {
  const { request, now, terms = TERMS, podPolicy = DEFAULT_POD_POLICY, policy } = issuance;
  const requested = toPodRequestedCertificate(request, terms, podPolicy);
  if (!requested.ok) throw new TypeError(requested.error.message);
  const signer = {
    key: KEY,
    identity: caOf(issuance),
    urls: NO_URLS,
    constrained: [],
    badRequest: 'SigningError',
  } as const;
  const linted = valueOf(prepareLocally(requested, signer, { policy: { ...AS_CERT_MANAGER, ...policy }, now }));
  const { pem } = valueOf(await signCertificate(linted, KEY));
  return { requested: requested.value, profile: linted.profile, chainPem: `${pem}${ROOT?.pem ?? ''}` };
}
