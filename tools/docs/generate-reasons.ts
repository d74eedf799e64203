// Generates docs/reasons.md from the tables of reasons. Adds example values for the messages.

import { writeFile } from 'node:fs/promises';
import { podReasons } from '@countersign/common/pods/pod-reasons.ts';
import { approvalReasons } from '@countersign/common/reasons/approval-reasons.ts';
import { issuerReasons } from '@countersign/common/reasons/issuer-reasons.ts';
import type { Place } from '@countersign/common/reasons/reason-entry.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { MAX_NAME_LENGTH } from '@countersign/common/validate-request.ts';
import { DELEGATION_TEXTS } from './delegation-texts.ts';
import { APPROVAL_SECTIONS, CSR_SECTIONS, ISSUER_SECTIONS, POD_SECTIONS, type Section } from './reason-sections.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: '<namespace>', name: '<name>' };
const SECRET = '<namespace>/<name>';
const ERROR = '<error>';
const POLICY_REFUSAL =
  'ApprovalPolicy <policy> does not allow this request: spec.allowed.isCA: "true" is not allowed, wanted: false';

/** The messages of every reason. A missing reason does not compile. */
const TEXTS: Readonly<Record<Reason, readonly string[]>> = {
  WaitingApproval: [reasons.WaitingApproval.message()],
  IssuerNotFound: [reasons.IssuerNotFound.message(REF)],
  IssuerTypeMissing: [reasons.IssuerTypeMissing.message(REF)],
  IssuerNotReady: [reasons.IssuerNotReady.message(REF)],
  DeniedReference: [reasons.DeniedReference.message(REF)],
  ErrorParseDuration: [reasons.ErrorParseDuration.message(ERROR)],
  InvalidDuration: [
    reasons.InvalidDuration.message(600_000_000_000n, 599_000_000_000n),
    reasons.InvalidDuration.maximum(86_400_000_000_000n, 172_800_000_000_000n),
  ],
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
  CertificateIssued: [
    reasons.CertificateIssued.message(),
    reasons.CertificateIssued.selfSigned(),
    reasons.CertificateIssued.vault(),
    reasons.CertificateIssued.venafi(),
  ],
  MissingAnnotation: [reasons.MissingAnnotation.message()],
  SecretNotFound: [reasons.SecretNotFound.message(SECRET), reasons.SecretNotFound.vault(SECRET)],
  ErrorParsingKey: [reasons.ErrorParsingKey.message(SECRET, ERROR)],
  ErrorGettingSecret: [reasons.ErrorGettingSecret.message(SECRET, ERROR)],
  ErrorGenerating: [reasons.ErrorGenerating.message(ERROR)],
  ErrorKeyMatch: [reasons.ErrorKeyMatch.message()],
  ErrorSigning: [reasons.ErrorSigning.message(ERROR), reasons.ErrorSigning.vault(ERROR)],
  ErrorUpdate: [reasons.ErrorUpdate.message(ERROR)],
  ErrorVaultInit: [reasons.ErrorVaultInit.message(ERROR)],
  VaultUnavailable: [reasons.VaultUnavailable.message(ERROR)],
  VaultDenied: [reasons.VaultDenied.message('/v1/pki/sign/<role>', ERROR)],
  VaultVerified: [reasons.VaultVerified.message()],
  VaultError: [reasons.VaultError.client(ERROR), reasons.VaultError.health(ERROR)],
  ...DELEGATION_TEXTS,
  KeyPairVerified: [reasons.KeyPairVerified.message()],
  ErrGetKeyPair: [reasons.ErrGetKeyPair.message(ERROR)],
  ErrInvalidKeyPair: [reasons.ErrInvalidKeyPair.message()],
  ErrInitIssuer: [reasons.ErrInitIssuer.message(ERROR)],
  IsReady: [reasons.IsReady.message()],
  NotStrictlyValid: [
    reasons.NotStrictlyValid.message('certificate 1 in tls.crt has no subject key identifier (RFC 5280 4.2.1.2)'),
  ],
  IssuerTypeUnsupported: [reasons.IssuerTypeUnsupported.message(REF, 'selfSigned')],
  InvalidIssuerAnnotation: [reasons.InvalidIssuerAnnotation.message(REF, ERROR)],
  NameNotAllowed: [reasons.NameNotAllowed.message(REF, ['shop.example.com'], ['*.<pod namespace>.svc'])],
  CaEndsTooSoon: [reasons.CaEndsTooSoon.message(ERROR)],
  InvalidUnverifiedUserAnnotations: [reasons.InvalidUnverifiedUserAnnotations.message(ERROR)],
  InvalidStubRequest: [reasons.InvalidStubRequest.message('has a subject')],
  UnsupportedKeyType: [reasons.UnsupportedKeyType.message()],
  TrustBundleNotPublished: [reasons.TrustBundleNotPublished.message(ERROR)],
  TrustAnchorNotRoot: [reasons.TrustAnchorNotRoot.message()],
  OldCaExpired: [reasons.OldCaExpired.message(['<sha256>'])],
  InvalidSecretName: [reasons.InvalidSecretName.message(300)],
  NameTooLong: [reasons.NameTooLong.message(MAX_NAME_LENGTH, 300)],
  SelfSignedKey: [reasons.SelfSignedKey.message('sandbox/my-key')],
  InvalidSignerName: [reasons.InvalidSignerName.message('<signerName>', ERROR)],
  ImmutableAnnotation: [reasons.ImmutableAnnotation.message('<key>')],
  CertificateDiffers: [reasons.CertificateDiffers.message(['2 names are missing', 'it expires <time>'])],
  AnotherSigner: [
    reasons.AnotherSigner.message('issued', REF, 'ca'),
    reasons.AnotherSigner.message('failed', REF, 'ca'),
  ],
  AccessReviewFailed: [reasons.AccessReviewFailed.message(REF)],
  ApprovalPolicyRequired: [reasons.ApprovalPolicyRequired.message(POLICY_REFUSAL)],
  ApprovedByPolicy: [reasons.ApprovedByPolicy.message('<policy>')],
  DeniedByPolicy: [reasons.DeniedByPolicy.message(POLICY_REFUSAL)],
  NoApprovalPolicy: [reasons.NoApprovalPolicy.message('<user>', '<signerName>')],
  PolicyMismatch: [reasons.PolicyMismatch.message(POLICY_REFUSAL)],
  PolicyInvalid: [reasons.PolicyInvalid.message('<policy>')],
  ApprovalDryRun: [reasons.ApprovalDryRun.message('ApprovalPolicy <policy> would approve this request')],
};

/** The content of docs/reasons.md. */
export function renderReasons(): string {
  const all = Object.keys(TEXTS) as Reason[];
  const ofIssuers = all.filter(reason => Object.hasOwn(issuerReasons, reason));
  const ofPods = all.filter(reason => Object.hasOwn(podReasons, reason));
  const ofApprovals = all.filter(reason => Object.hasOwn(approvalReasons, reason));
  const others = new Set([...ofIssuers, ...ofPods, ...ofApprovals]);
  const ofCsrs = all.filter(reason => !others.has(reason));
  const sections = [
    ...CSR_SECTIONS.map(section => renderSection(section, ofCsrs)),
    ...APPROVAL_SECTIONS.map(section => renderSection(section, ofApprovals)),
    ...POD_SECTIONS.map(section => renderSection(section, ofPods)),
    ...ISSUER_SECTIONS.map(section => renderSection(section, ofIssuers)),
  ];
  return `<!-- Generated by tools/docs/generate-reasons.ts from services/common/reasons/reasons.ts. Do not edit. -->

# Reasons

The reasons of events and conditions on CertificateSigningRequests, PodCertificateRequests and issuers, and of admission refusals. Reasons and messages
are those of cert-manager where it has them. The metrics have the reason in their label \`reason\`.

${sections.join('\n')}
## Messages

| Reason | Event type | Message |
|---|---|---|
${all.map(renderMessages).join('')}`;
}

function renderSection({ title, about, outcome, shownIn }: Section, among: readonly Reason[]): string {
  const rows = among.filter(reason => reasons[reason].outcome === outcome).map(reason => renderRow(reason, shownIn));
  return `## ${title}

${about}

| Reason | Meaning | What to do | Shown in |
|---|---|---|---|
${rows.join('')}`;
}

function renderRow(reason: Reason, placesOfOutcome: readonly Place[]): string {
  const { meaning, action, shownIn = placesOfOutcome } = reasons[reason].doc;
  const places = shownIn.map(place => (place.includes('_') ? `\`${place}\`` : place)).join(', ');
  return `| \`${reason}\` | ${meaning} | ${action} | ${places} |\n`;
}

function renderMessages(reason: Reason): string {
  const { eventType, outcome } = reasons[reason];
  const isRefusal = outcome === 'deny' && !Object.hasOwn(podReasons, reason);
  const type = isRefusal ? '' : eventType;
  const messages = TEXTS[reason].filter(text => text !== '');
  return messages.map(text => `| \`${reason}\` | ${type} | \`${text}\` |\n`).join('');
}

if (import.meta.main) await writeFile(new URL('../../docs/reasons.md', import.meta.url), renderReasons());
