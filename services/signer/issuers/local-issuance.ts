// The way from a CSR to a linted certificate for every issuer type whose key is at hand: judge the request's shape, verify its
// signature, make the profile, encode it, lint it. Pure; the certificate is signed later and elsewhere.

import type { ConstrainedCa } from '@countersign/common/constraint-subtrees.ts';
import { findNameViolations } from '@countersign/common/name-violations.ts';
import { hasValidSignature } from '@countersign/common/pkcs10.ts';
import { reasons } from '@countersign/common/reasons.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { examineRequest } from '@countersign/common/validate-request.ts';
import { type LintedCertificate, lintCertificate } from '../issuance/lint.ts';
import { prepareCertificate } from '../issuance/prepare.ts';
import { buildProfile, type IssuerIdentity, type IssuerUrls } from '../issuance/profile.ts';
import { deriveSerial } from '../issuance/serial.ts';
import type { SigningKey } from '../issuance/signing-key.ts';
import type { IssuanceRequest } from './issuer-type.ts';

export interface LocalSigner {
  readonly key: SigningKey;
  /** undefined for a certificate that is its own issuer. */
  readonly identity: IssuerIdentity | undefined;
  readonly urls: IssuerUrls;
  /** The CAs whose name constraints the names of the request have to keep. */
  readonly constrained: readonly ConstrainedCa[];
}

/** Why there is no certificate: the whole message of a bad request or a name that no CA may sign, or why the key cannot sign. */
export type LocalProblem = { readonly kind: 'request' | 'names' | 'signing'; readonly message: string };

/** `now` is when it is signed. */
export function prepareLocally(
  { csr, policy }: IssuanceRequest,
  signer: LocalSigner,
  now: Date,
): Result<LintedCertificate, LocalProblem> {
  const { errors, request } = examineRequest(csr, policy);
  const [shapeError] = errors;
  if (shapeError !== undefined) return err({ kind: 'request', message: shapeError.message });
  if (!request.ok) return err({ kind: 'request', message: request.error });
  if (!hasValidSignature(request.value)) return err({ kind: 'request', message: badSignature() });
  const [violation] = findNameViolations(request.value, signer.constrained);
  if (violation !== undefined) return err({ kind: 'names', message: violation });
  const algorithm = signer.key.signatureAlgorithm;
  if (!algorithm.ok) return err({ kind: 'signing', message: algorithm.error });
  const profile = buildProfile({
    csr,
    request: request.value,
    issuer: signer.identity ?? { subject: request.value.subject },
    urls: signer.urls,
    now,
    serial: deriveSerial(csr.metadata.uid ?? ''),
    policy,
  });
  const linted = lintCertificate(prepareCertificate(profile, algorithm.value));
  if (linted.ok) return ok(linted.value);
  const findings = linted.error.map(({ rule, citation, problem }) => `${rule} ${problem} (${citation})`);
  return err({ kind: 'signing', message: findings.join('; ') });
}

function badSignature(): string {
  return reasons.SigningError.template('the signature of the certificate request is not valid');
}
