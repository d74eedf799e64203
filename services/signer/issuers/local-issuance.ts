// Prepares a certificate for signing with a local key: checks the request, then builds, encodes and lints the profile.
// Pure; signs nothing.

import type { FieldError } from '@countersign/common/field-error.ts';
import { findNameViolations } from '@countersign/common/name-violations.ts';
import type { Reason } from '@countersign/common/reasons/reasons.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import type { SigningKey } from '../authority/signing-key.ts';
import { findAuthorityFault } from '../issuance/authority-fault.ts';
import type { IssuancePolicy } from '../issuance/issuance-policy.ts';
import { type LintedCertificate, lintCertificate } from '../issuance/lint.ts';
import { prepareCertificate } from '../issuance/prepare.ts';
import { buildProfile, type IssuerIdentity, type IssuerUrls } from '../issuance/profile.ts';
import { findProofFault } from '../issuance/proof-of-possession.ts';
import { deriveSerial } from '../issuance/serial.ts';
import { failFor } from './bad-request.ts';

export interface LocalSigner {
  readonly key: SigningKey;
  /** undefined for a self-signed certificate. */
  readonly identity: IssuerIdentity | undefined;
  readonly urls: IssuerUrls;
  /** The CAs whose name constraints the request has to satisfy. */
  readonly constrained: readonly ConstrainedCa[];
  /** The reason for an invalid request, which depends on the issuer type. */
  readonly badRequest: Reason;
}

/** Why there is no certificate: the reason and complete message for an invalid request, or why the key cannot sign. */
export type LocalProblem =
  | { readonly kind: 'request'; readonly reason: Reason; readonly message: string }
  | { readonly kind: 'signing'; readonly message: string };

/** `now` is the time of signing. */
export function prepareLocally(
  requested: Result<RequestedCertificate, readonly FieldError[]>,
  signer: LocalSigner,
  { policy, now }: { readonly policy: IssuancePolicy; readonly now: Date },
): Result<LintedCertificate, LocalProblem> {
  if (!requested.ok) return err({ ...failFor(requested.error), kind: 'request' });
  const proofFault = findProofFault(requested.value);
  if (proofFault !== undefined) return err({ kind: 'request', reason: signer.badRequest, message: proofFault });
  const [violation] = findNameViolations(requested.value, signer.constrained);
  if (violation !== undefined) return err({ kind: 'request', reason: 'NameConstraintViolation', message: violation });
  const authorityFault = signer.identity && findAuthorityFault(requested.value, signer.identity, now);
  if (authorityFault !== undefined)
    return err({ kind: 'request', reason: authorityFault.reason, message: authorityFault.problem });
  const algorithm = signer.key.signatureAlgorithm;
  if (!algorithm.ok) return err({ kind: 'signing', message: algorithm.error });
  const profile = buildProfile({
    requested: requested.value,
    issuer: signer.identity ?? { subject: requested.value.subject },
    urls: signer.urls,
    now,
    serial: deriveSerial(requested.value.uid),
    policy,
  });
  const linted = lintCertificate(prepareCertificate(profile, algorithm.value));
  if (linted.ok) return ok(linted.value);
  const findings = linted.error.map(({ rule, citation, problem }) => `${rule} ${problem} (${citation})`);
  return err({ kind: 'signing', message: findings.join('; ') });
}
