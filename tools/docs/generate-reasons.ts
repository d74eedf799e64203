// Writes docs/reasons.md from the table of reasons. Adds nothing that the table does not say, apart from placeholders for what
// a message is told.

import { writeFile } from 'node:fs/promises';
import type { Outcome } from '@countersign/common/reason-entry.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { MAX_NAME_LENGTH } from '@countersign/common/validate-request.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: '<namespace>', name: '<name>' };
const SECRET = '<namespace>/<name>';
const ERROR = '<error>';

/** Every text of every reason. A reason without an entry does not compile. */
const TEXTS: Readonly<Record<Reason, readonly string[]>> = {
  WaitingApproval: [reasons.WaitingApproval.message()],
  IssuerNotFound: [reasons.IssuerNotFound.message(REF)],
  IssuerTypeMissing: [reasons.IssuerTypeMissing.message(REF)],
  IssuerNotReady: [reasons.IssuerNotReady.message(REF)],
  DeniedReference: [reasons.DeniedReference.message(REF)],
  ErrorParseDuration: [reasons.ErrorParseDuration.message(ERROR)],
  InvalidDuration: [reasons.InvalidDuration.message(600_000_000_000n, 599_000_000_000n)],
  SecretMissing: [reasons.SecretMissing.message(SECRET)],
  SecretInvalidData: [reasons.SecretInvalidData.message(SECRET, ERROR)],
  SecretGetError: [reasons.SecretGetError.message(SECRET, ERROR)],
  SigningError: [
    reasons.SigningError.template(ERROR),
    reasons.SigningError.message(ERROR),
    reasons.SigningError.update(ERROR),
  ],
  NameConstraintViolation: [
    reasons.NameConstraintViolation.message(
      'The name constraints of the CA "CN=<CA>" do not permit the DNS name "www.example.org"; permitted: "example.com"',
    ),
  ],
  CertificateIssued: [reasons.CertificateIssued.message(), reasons.CertificateIssued.selfSigned()],
  MissingAnnotation: [reasons.MissingAnnotation.message()],
  SecretNotFound: [reasons.SecretNotFound.message(SECRET)],
  ErrorParsingKey: [reasons.ErrorParsingKey.message(SECRET, ERROR)],
  ErrorGettingSecret: [reasons.ErrorGettingSecret.message(SECRET, ERROR)],
  ErrorGenerating: [reasons.ErrorGenerating.message(ERROR)],
  ErrorKeyMatch: [reasons.ErrorKeyMatch.message()],
  ErrorSigning: [reasons.ErrorSigning.message(ERROR)],
  ErrorUpdate: [reasons.ErrorUpdate.message(ERROR)],
  KeyPairVerified: [reasons.KeyPairVerified.message()],
  ErrGetKeyPair: [reasons.ErrGetKeyPair.message(ERROR)],
  ErrInvalidKeyPair: [reasons.ErrInvalidKeyPair.message()],
  ErrInitIssuer: [reasons.ErrInitIssuer.message(ERROR)],
  IsReady: [reasons.IsReady.message()],
  NotStrictlyValid: [
    reasons.NotStrictlyValid.message('certificate 1 in tls.crt has no subject key identifier (RFC 5280 4.2.1.2)'),
  ],
  InvalidSecretName: [reasons.InvalidSecretName.message(300)],
  NameTooLong: [reasons.NameTooLong.message(MAX_NAME_LENGTH, 300)],
  SelfSignedKey: [reasons.SelfSignedKey.message('sandbox/my-key')],
  InvalidSignerName: [reasons.InvalidSignerName.message('<signerName>', ERROR)],
  ImmutableAnnotation: [reasons.ImmutableAnnotation.message('<key>')],
  AccessReviewFailed: [reasons.AccessReviewFailed.message(REF)],
};

const CONSEQUENCES: Readonly<Record<Outcome, string>> = {
  wait: 'The signer waits until the cause is gone.',
  fail: 'Refused at admission where it can be seen there; otherwise the CSR gets the condition Failed, for good.',
  retry: 'Tried again, with growing delays.',
  issue: 'The certificate has been issued.',
  deny: 'Refused at admission.',
  stuck: 'Refused at admission; a CSR that was created without the webhook stays pending, and gets one event.',
  ready: 'The issuer is ready.',
};

/** The whole of docs/reasons.md. */
export function renderReasons(): string {
  const sections = (Object.keys(TEXTS) as Reason[]).map(renderReason);
  return `<!-- Made by tools/docs/generate-reasons.ts from services/common/reasons.ts. Do not edit. -->

# Reasons

The reason words of events and conditions on CertificateSigningRequests and issuers, and of refusals at admission. Words and
texts are those of cert-manager wherever it has one.

${sections.join('\n')}`;
}

function renderReason(reason: Reason): string {
  const { outcome, eventType, doc } = reasons[reason];
  const texts = TEXTS[reason].filter(text => text !== '').map(text => `    ${text}\n`);
  const block = texts.length > 0 ? `${texts.join('')}\n` : '';
  const event = texts.length > 0 && outcome !== 'deny' ? `Event type ${eventType}. ` : '';
  return `## ${reason}

${block}${doc}

${event}${CONSEQUENCES[outcome]}
`;
}

if (import.meta.main) await writeFile(new URL('../../docs/reasons.md', import.meta.url), renderReasons());
