// Everything that is ever said about a CSR or an issuer: reason word, what follows, type of the event, exact text, and a
// line of documentation (docs/reasons.md is made from it). The words and texts are cert-manager's wherever it has one
// (behaviour of v1.21). Decides nothing.

import { formatGoDuration, type Nanoseconds } from './duration.ts';
import { issuerReasons } from './issuer-reasons.ts';
import { podReasons } from './pod-reasons.ts';
import { normal, warning } from './reason-entry.ts';
import { formatRef, type SignerRef } from './signer-name.ts';

/** Where cert-manager has no words: it calls a ClusterIssuer `/name`. */
const named = (ref: SignerRef) => (ref.kind === 'Issuer' ? `Issuer ${formatRef(ref)}` : `ClusterIssuer ${ref.name}`);
const referenced = (ref: SignerRef) => `Referenced ${ref.kind} ${formatRef(ref)}`;
const templateError = (error: string) => `Error generating certificate template: ${error}`;
const signingError = (error: string) => `Error signing certificate: ${error}`;
const updateError = (error: string) => `Error updating certificate: ${error}`;

const shared = {
  WaitingApproval: normal(
    'wait',
    () => 'Waiting for the Approved condition before issuing',
    'Nobody has approved the CSR yet. Approve it with `kubectl certificate approve`, or deny it.',
  ),
  IssuerNotFound: warning(
    'wait',
    (ref: SignerRef) => `${referenced(ref)} not found`,
    'The issuer that the signer name names does not exist. Create it: the CSR is signed as soon as it is ready.',
  ),
  IssuerTypeMissing: warning(
    'wait',
    (ref: SignerRef) => `${referenced(ref)} is missing type`,
    'The spec of the issuer has none of `ca`, `selfSigned`, `acme`, `vault`, `venafi`. Set one.',
  ),
  IssuerNotReady: warning(
    'wait',
    (ref: SignerRef) => `${referenced(ref)} does not have a Ready status condition`,
    'The issuer is not Ready, or gives a URL that no certificate can hold. Its own Ready condition, or the message, says why; the CSR is signed as soon as it is mended.',
  ),
  DeniedReference: warning(
    'fail',
    // Of ClusterIssuers only where the operator demands it: cert-manager has no words for that.
    (ref: SignerRef) => `Requester may not reference ${ref.kind === 'Issuer' ? 'Namespaced ' : ''}${named(ref)}`,
    'The requester lacks the verb `reference` on `signers` in the namespace of the Issuer (with `policy.authorizeClusterIssuers`: on `clusterissuers`). Grant it with the role that the refusal shows, then create the CSR anew.',
  ),
  ErrorParseDuration: warning(
    'fail',
    (error: string) =>
      `Failed to parse requested duration: failed to parse requested duration on annotation "experimental.cert-manager.io/request-duration": ${error}`,
    'The annotation is not a Go duration such as `2160h` or `1h30m` (there are no days). Create the CSR anew.',
  ),
  InvalidDuration: {
    ...warning(
      'fail',
      (minimum: Nanoseconds, requested: Nanoseconds) =>
        `CertificateSigningRequest minimum allowed duration is ${formatGoDuration(minimum)}, requested ${formatGoDuration(requested)}`,
      'The requested duration is less than ten minutes, or more than `policy.maxDuration`. Create the CSR anew with another one.',
    ),
    maximum: (maximum: Nanoseconds, requested: Nanoseconds) =>
      `CertificateSigningRequest maximum allowed duration is ${formatGoDuration(maximum)}, requested ${formatGoDuration(requested)}`,
  },
};

/** Issuers of type CA. */
const ca = {
  SecretMissing: warning(
    'wait',
    (secret: string) => `Referenced secret ${secret} not found`,
    'The Secret with the key pair of the CA does not exist. Create it: the CSR is signed when it is there.',
  ),
  SecretInvalidData: warning(
    'wait',
    (secret: string, error: string) => `Failed to parse signing CA keypair from secret ${secret}: ${error}`,
    'The Secret of the CA holds no usable `tls.crt` and `tls.key`, or a certificate that the API server would reject, or, with `policy.refuseExpiredCa` or `policy.clampToCa`, a CA that has ended. Correct it, or put the next CA there: the CSR is signed when it is right.',
  ),
  SecretGetError: warning(
    'retry',
    (secret: string, error: string) => `Failed to get certificate key pair from secret ${secret}: ${error}`,
    'The Secret of the CA could not be read. It is tried again; look at the RBAC of the signer if it persists.',
  ),
  SigningError: {
    ...warning(
      'fail',
      signingError,
      'The request contradicts itself (its usages or CA flag against those of the CSR), the CA cannot sign it, or the API server rejects the certificate though it accepts those of the CA. Create the CSR anew. Only when updating the certificate failed, it is tried again.',
    ),
    template: templateError,
    /** The only one of the three that is tried again. */
    update: updateError,
  },
  /** cert-manager has no word for it: it signs such a certificate. */
  NameConstraintViolation: warning(
    'fail',
    (problem: string) => `${problem}. Request another name, or use another issuer`,
    'The CA of the issuer, or a CA above it, may not sign a name of the request by its X.509 name constraints, so clients would reject the certificate. Create a new CSR with names that the message shows as permitted, or use another issuer. With `policy.honourNameConstraints: false` the CSR is signed nevertheless.',
  ),
  CertificateIssued: {
    ...normal(
      'issue',
      () => 'Certificate fetched from issuer successfully',
      'The certificate is in `status.certificate`.',
    ),
    selfSigned: () => 'Certificate self-signed successfully',
  },
};

/** Issuers of type SelfSigned. */
const selfSigned = {
  MissingAnnotation: warning(
    'fail',
    () => 'Missing private key reference annotation: "experimental.cert-manager.io/private-key-secret-name"',
    'A SelfSigned issuer needs the annotation: the name of the Secret with the private key of the request. Create the CSR anew with it.',
  ),
  SecretNotFound: warning(
    'wait',
    (secret: string) => `Referenced Secret ${secret} not found`,
    'The Secret with the private key of the request does not exist. Create it: the CSR is signed when it is there.',
  ),
  ErrorParsingKey: warning(
    'wait',
    (secret: string, error: string) => `Failed to parse signing key from secret ${secret}: ${error}`,
    'The Secret holds no usable `tls.key` (an unencrypted private key in PEM), or one whose private key does not belong to its public key; the message says what it holds. Correct it: the CSR is signed when it is right.',
  ),
  ErrorGettingSecret: warning(
    'retry',
    (secret: string, error: string) => `Failed to get certificate CA key from secret ${secret}: ${error}`,
    'The Secret could not be read. It is tried again (cert-manager gives up here); look at the RBAC of the signer if it persists.',
  ),
  ErrorGenerating: warning(
    'fail',
    templateError,
    'The request contradicts itself (its usages or CA flag against those of the CSR). Create the CSR anew.',
  ),
  ErrorKeyMatch: warning(
    'fail',
    () => 'Referenced private key in Secret does not match that in the request',
    'The annotation names the Secret of another key. Create the CSR anew with the right Secret.',
  ),
  ErrorSigning: warning(
    'fail',
    signingError,
    'The key of the request cannot sign (RSA below 2048 bits or above 8192, P-224), or the API server rejects the certificate as invalid; the message says why. Create a new CSR, with a new key if the key is at fault.',
  ),
  ErrorUpdate: warning(
    'retry',
    updateError,
    'The certificate could not be written to the CSR. The same certificate is written again later.',
  ),
};

/** What cert-manager has no word for. */
const own = {
  SelfSignedKey: warning(
    'wait',
    (secret: string) =>
      `Secret ${secret} holds the key that will sign. Before you approve, check that the requester (spec.username) owns it`,
    'The issuer is SelfSigned: it signs with the key in the Secret that the annotation of the CSR names, no matter who created the CSR. Deny the CSR if the requester does not own that Secret. The event is recorded while the CSR is pending, as soon as the issuer exists: an approval right after the creation comes before it.',
  ),
  InvalidSignerName: warning(
    'stuck',
    (signerName: string, detail: string) => `Signer name "${signerName}" can never name an issuer: ${detail}`,
    'The signer name is malformed, so no issuer can match it. Delete the CSR and create a new one with the signer name `issuers.cert-manager.io/<namespace>.<name>` or `clusterissuers.cert-manager.io/<name>`.',
  ),
  InvalidSecretName: warning(
    'deny',
    (length: number) =>
      `Annotation "experimental.cert-manager.io/private-key-secret-name" has ${length} characters that cannot be the name of a Secret: use lower-case letters, digits, "-" and ".", at most 253`,
    'No Secret can have the name in the annotation, so the CSR would stay pending. Create the CSR with the name of the Secret that holds its private key.',
  ),
  NameTooLong: warning(
    'deny',
    (maximum: number, length: number) =>
      `The name of the CSR has ${length} characters, at most ${maximum} are looked at`,
    'The signer does not look at a CSR with such a name, so that it would be pending for ever. Create it with a shorter one.',
  ),
  ImmutableAnnotation: warning(
    'deny',
    (key: string) => `Annotation "${key}" is part of the request and cannot be changed`,
    'The annotation shapes the certificate, so it is as immutable as the spec, from the creation on. Delete the CSR and create a new one.',
  ),
  AccessReviewFailed: warning(
    'deny',
    (ref: SignerRef) => `Could not check whether the requester may reference ${named(ref)}`,
    'The API server did not answer the access review. The webhook refuses meanwhile, the signer tries again; look at the RBAC of both if it persists.',
  ),
};

/** What the signer says of a CSR. */
export const csrReasons = { ...shared, ...ca, ...selfSigned };

/** Reason → what is said and what follows. */
export const reasons = { ...csrReasons, ...issuerReasons, ...podReasons, ...own };

export type Reason = keyof typeof reasons;

/** What a PodCertificateRequest waits for: an administrator can change all of it, so none of it is final. */
export const POD_WAITING_REASONS = [
  'IssuerNotFound',
  'IssuerTypeMissing',
  'IssuerTypeUnsupported',
  'IssuerNotReady',
  'DeniedReference',
  'InvalidIssuerAnnotation',
  'NameNotAllowed',
  'NameConstraintViolation',
  'SecretMissing',
  'SecretInvalidData',
  'CaEndsTooSoon',
  'SigningError',
] as const satisfies readonly Reason[];

export function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text);
}
