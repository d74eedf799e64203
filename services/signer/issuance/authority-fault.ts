// Whether a CA can sign a request that has its own validity rules: the CA must be valid for long enough, and have a
// subject. Other requests demand nothing. Pure.

import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { sequence } from '@countersign/common/x509/der.ts';
import type { IssuerIdentity } from './profile.ts';

/** The owner of the CA can fix both, so the request waits. */
export interface AuthorityFault {
  readonly reason: 'CaEndsTooSoon' | 'SecretInvalidData';
  readonly problem: string;
}

const EMPTY_NAME = sequence();

export function findAuthorityFault(
  { validityRules, hasEmptySubject }: Pick<RequestedCertificate, 'validityRules' | 'hasEmptySubject'>,
  { subject, notAfter }: IssuerIdentity,
  now: Date,
): AuthorityFault | undefined {
  if (validityRules === undefined) return undefined;
  // Go takes a certificate for self-issued if its subject and issuer are the same.
  if (hasEmptySubject && subject.equals(EMPTY_NAME)) {
    return {
      reason: 'SecretInvalidData',
      problem: 'the CA certificate has an empty subject, as has the new certificate',
    };
  }
  const { minCaLifeMs } = validityRules;
  if (notAfter === undefined || notAfter.getTime() - now.getTime() >= minCaLifeMs) return undefined;
  const until = notAfter.toISOString();
  const problem = `The CA certificate expires at ${until}, in less than ${minCaLifeMs / 60_000} minutes`;
  return { reason: 'CaEndsTooSoon', problem };
}
