// Generates docs/reasons.md from the tables of reasons. Adds section texts and example values for the messages.

import { writeFile } from 'node:fs/promises';
import { issuerReasons } from '@countersign/common/issuer-reasons.ts';
import { podReasons } from '@countersign/common/pods/pod-reasons.ts';
import type { Outcome, Place } from '@countersign/common/reason-entry.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { MAX_NAME_LENGTH } from '@countersign/common/validate-request.ts';
import { DELEGATION_TEXTS } from './delegation-texts.ts';

const REF: SignerRef = { kind: 'Issuer', namespace: '<namespace>', name: '<name>' };
const SECRET = '<namespace>/<name>';
const ERROR = '<error>';

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
  CertificateIssued: [reasons.CertificateIssued.message(), reasons.CertificateIssued.selfSigned()],
  MissingAnnotation: [reasons.MissingAnnotation.message()],
  SecretNotFound: [reasons.SecretNotFound.message(SECRET)],
  ErrorParsingKey: [reasons.ErrorParsingKey.message(SECRET, ERROR)],
  ErrorGettingSecret: [reasons.ErrorGettingSecret.message(SECRET, ERROR)],
  ErrorGenerating: [reasons.ErrorGenerating.message(ERROR)],
  ErrorKeyMatch: [reasons.ErrorKeyMatch.message()],
  ErrorSigning: [reasons.ErrorSigning.message(ERROR)],
  ErrorUpdate: [reasons.ErrorUpdate.message(ERROR)],
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
  AccessReviewFailed: [reasons.AccessReviewFailed.message(REF)],
};

interface Section {
  readonly title: string;
  readonly about: string;
  readonly outcome: Outcome;
  readonly shownIn: readonly Place[];
}

const ADMISSIONS = 'countersign_webhook_admissions_total';

const CSR_SECTIONS: readonly Section[] = [
  {
    title: 'Waiting',
    about:
      'The CSR stays pending. The signer continues once the cause is fixed; the CSR does not have to be recreated.',
    outcome: 'wait',
    shownIn: ['event', 'countersign_requests_waiting'],
  },
  {
    title: 'Failed',
    about:
      'The webhook denies the request if it can see the cause. Otherwise the signer sets the Failed condition, which is final.',
    outcome: 'fail',
    shownIn: ['refusal', 'Failed condition', 'event', ADMISSIONS, 'countersign_certificates_total'],
  },
  {
    title: 'Retried',
    about:
      'The signer retries with exponential backoff. `countersign_requests_waiting` counts the CSR with the reason `Retry`.',
    outcome: 'retry',
    shownIn: ['event', 'countersign_requests_waiting'],
  },
  {
    title: 'Issued',
    about: 'The CSR is signed.',
    outcome: 'issue',
    shownIn: ['event', 'countersign_certificates_total'],
  },
  { title: 'Denied', about: 'The webhook denies the request.', outcome: 'deny', shownIn: ['refusal', ADMISSIONS] },
  {
    title: 'Never signed',
    about: 'The webhook denies the request. A CSR that bypassed the webhook stays pending and gets one event.',
    outcome: 'stuck',
    shownIn: ['refusal', 'event', ADMISSIONS],
  },
];

const POD_SECTIONS: readonly Section[] = [
  {
    title: 'Pods: waiting',
    about:
      'The PodCertificateRequest stays pending, and the pod does not start. The signer continues once the cause is fixed. A request for a pod also waits with `IssuerNotFound`, `IssuerTypeMissing`, `IssuerNotReady`, `DeniedReference`, `NameConstraintViolation`, `SecretMissing`, `SecretInvalidData` and `SigningError`, none of which is final for it.',
    outcome: 'wait',
    shownIn: ['event', 'event on the pod', 'countersign_pod_requests_waiting'],
  },
  {
    title: 'Pods: denied',
    about:
      'The signer sets the Denied condition, which is final for the pod: it follows from the spec of the pod, so only another pod helps. Requests with `InvalidSignerName` are denied too.',
    outcome: 'deny',
    shownIn: ['Denied condition', 'event', 'event on the pod', 'countersign_pod_certificates_total'],
  },
];

const ISSUER_SECTIONS: readonly Section[] = [
  {
    title: 'Issuer not ready',
    about: 'CSRs for the issuer wait with the reason `IssuerNotReady`.',
    outcome: 'wait',
    shownIn: ['Ready condition', 'event'],
  },
  { title: 'Issuer ready', about: 'The issuer signs.', outcome: 'ready', shownIn: ['Ready condition', 'event'] },
];

/** The content of docs/reasons.md. */
export function renderReasons(): string {
  const all = Object.keys(TEXTS) as Reason[];
  const ofIssuers = all.filter(reason => Object.hasOwn(issuerReasons, reason));
  const ofPods = all.filter(reason => Object.hasOwn(podReasons, reason));
  const ofCsrs = all.filter(reason => !ofIssuers.includes(reason) && !ofPods.includes(reason));
  const sections = [
    ...CSR_SECTIONS.map(section => renderSection(section, ofCsrs)),
    ...POD_SECTIONS.map(section => renderSection(section, ofPods)),
    ...ISSUER_SECTIONS.map(section => renderSection(section, ofIssuers)),
  ];
  return `<!-- Generated by tools/docs/generate-reasons.ts from services/common/reasons.ts. Do not edit. -->

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
