// Every reason of a CSR or an issuer: outcome, event type, exact message, and documentation (the source of
// docs/reasons.md). Reasons and messages are cert-manager's where it has them (v1.21). Decides nothing.

import { formatGoDuration, type Nanoseconds } from '../duration.ts';
import { podReasons } from '../pods/pod-reasons.ts';
import { formatRef, type SignerRef } from '../signer-name.ts';
import { approvalReasons, requiredApprovalReasons } from './approval-reasons.ts';
import { delegationReasons } from './delegation-reasons.ts';
import { issuerReasons } from './issuer-reasons.ts';
import { formatIssuer, ownReasons } from './own-reasons.ts';
import { normal, signingError, templateError, updateError, warning } from './reason-entry.ts';
import { selfSignedReasons } from './self-signed-reasons.ts';
import { vaultReasons } from './vault-reasons.ts';

const referenced = (ref: SignerRef) => `Referenced ${ref.kind} ${formatRef(ref)}`;

const shared = {
  WaitingApproval: normal('wait', () => 'Waiting for the Approved condition before issuing', {
    meaning: 'The CSR is not approved yet.',
    action: 'Approve it with `kubectl certificate approve`, or deny it.',
  }),
  IssuerNotFound: warning('wait', (ref: SignerRef) => `${referenced(ref)} not found`, {
    meaning: 'The issuer in the signer name does not exist.',
    action: 'Create the issuer. The CSR is signed once the issuer is Ready.',
  }),
  IssuerTypeMissing: warning('wait', (ref: SignerRef) => `${referenced(ref)} is missing type`, {
    meaning: 'The spec of the issuer has none of `ca`, `selfSigned`, `acme`, `vault` and `venafi`.',
    action: 'Set one of them.',
  }),
  IssuerNotReady: warning('wait', (ref: SignerRef) => `${referenced(ref)} does not have a Ready status condition`, {
    meaning: 'The issuer is not Ready, or has a URL that cannot be encoded in a certificate.',
    action:
      'Fix the cause shown in the Ready condition of the issuer or in the message. The CSR is signed once it is fixed.',
  }),
  DeniedReference: warning(
    'fail',
    // For ClusterIssuers only with authorizeClusterIssuers, for which cert-manager has no message.
    (ref: SignerRef) =>
      `Requester may not reference ${ref.external === undefined && ref.kind === 'Issuer' ? 'Namespaced ' : ''}${formatIssuer(ref)}`,
    {
      meaning:
        'The requester lacks the verb `reference` on `signers` in the namespace of the Issuer, or on `clusterissuers` if `policy.authorizeClusterIssuers` is set; for an external issuer, in its own API group.',
      action: 'Grant the role shown in the refusal, then create a new CSR.',
    },
  ),
  ErrorParseDuration: warning(
    'fail',
    (error: string) =>
      `Failed to parse requested duration: failed to parse requested duration on annotation "experimental.cert-manager.io/request-duration": ${error}`,
    {
      meaning:
        'The duration annotation is not a Go duration such as `2160h` or `1h30m`. Go durations have no unit for days.',
      action: 'Create a new CSR with a valid duration.',
    },
  ),
  InvalidDuration: {
    ...warning(
      'fail',
      (minimum: Nanoseconds, requested: Nanoseconds) =>
        `CertificateSigningRequest minimum allowed duration is ${formatGoDuration(minimum)}, requested ${formatGoDuration(requested)}`,
      {
        meaning: 'The requested duration is less than ten minutes or more than `policy.maxDuration`.',
        action: 'Create a new CSR with a duration within these limits.',
      },
    ),
    maximum: (maximum: Nanoseconds, requested: Nanoseconds) =>
      `CertificateSigningRequest maximum allowed duration is ${formatGoDuration(maximum)}, requested ${formatGoDuration(requested)}`,
  },
};

/** Issuers of type CA. */
const ca = {
  SecretMissing: warning('wait', (secret: string) => `Referenced secret ${secret} not found`, {
    meaning: 'The Secret with the key pair of the CA does not exist.',
    action: 'Create the Secret. The CSR is signed once it exists.',
  }),
  SecretInvalidData: warning(
    'wait',
    (secret: string, error: string) => `Failed to parse signing CA keypair from secret ${secret}: ${error}`,
    {
      meaning:
        'The CA Secret has no usable `tls.crt` and `tls.key`, or a certificate that the API server rejects, or, with `policy.refuseExpiredCa` or `policy.clampToCa`, an expired CA.',
      action: 'Fix the Secret, or replace its content with a new CA. The CSR is signed once it is fixed.',
    },
  ),
  SecretGetError: warning(
    'retry',
    (secret: string, error: string) => `Failed to get certificate key pair from secret ${secret}: ${error}`,
    {
      meaning: 'The CA Secret could not be read.',
      action: 'None, the read is retried. If it keeps failing, check the RBAC rules of the signer.',
    },
  ),
  SigningError: {
    ...warning('fail', signingError, {
      meaning:
        'The PKCS#10 request contradicts the CSR (usages, CA flag), the CA cannot sign the request, or the API server rejects the certificate although it accepts others from the same CA.',
      action: 'Create a new CSR. `Error updating certificate` is retried and needs no action.',
    }),
    template: templateError,
    /** The only one of the three that is retried. */
    update: updateError,
  },
  /** Not in cert-manager, which signs such a certificate. */
  NameConstraintViolation: warning(
    'fail',
    (problem: string) => `${problem}; request another name or use another issuer`,
    {
      meaning:
        "The X.509 name constraints of the issuer's CA, or of a CA above it, do not permit a name in the request, so clients would reject the certificate.",
      action:
        'Create a new CSR with names that the message lists as permitted, or use another issuer. With `policy.honourNameConstraints: false` the CSR is signed nevertheless.',
    },
  ),
  CertificateIssued: {
    ...normal('issue', () => 'Certificate fetched from issuer successfully', {
      meaning: 'The certificate is in `status.certificate`.',
      action: 'None.',
    }),
    selfSigned: () => 'Certificate self-signed successfully',
    vault: () => 'Certificate signed successfully',
    venafi: () => 'Certificate fetched from Certificate Manager issuer successfully',
  },
};

/** Reasons of the signer for a CSR. */
export const csrReasons = {
  ...shared,
  ...ca,
  ...selfSignedReasons,
  ...vaultReasons,
  ...delegationReasons,
  ...requiredApprovalReasons,
};

export const reasons = { ...csrReasons, ...issuerReasons, ...podReasons, ...ownReasons, ...approvalReasons };

export type Reason = keyof typeof reasons;

/** What a PodCertificateRequest waits for: an administrator can change all of it, so none of it is final. */
export const POD_WAITING_REASONS = [
  'IssuerNotFound',
  'IssuerTypeMissing',
  'IssuerTypeUnsupported',
  'IssuerNotReady',
  'DeniedReference',
  'InvalidStubRequest',
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
