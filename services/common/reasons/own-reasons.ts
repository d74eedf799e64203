// The reasons that cert-manager does not have, for CSRs and admission. Decides nothing.

import { formatRef, resourceOf, type SignerRef } from '../signer-name.ts';
import { warning } from './reason-entry.ts';

/** Kind and name for our own messages; cert-manager's write a ClusterIssuer as `/name`. */
export const formatIssuer = (ref: SignerRef) =>
  `${ref.kind} ${resourceOf(ref).isNamespaced ? formatRef(ref) : ref.name}`;

export const ownReasons = {
  SelfSignedKey: warning(
    'wait',
    (secret: string) =>
      `The certificate will be signed with the key in Secret ${secret}: before you approve, check that the requester (spec.username) owns it`,
    {
      meaning:
        'The issuer is of type SelfSigned and signs with the key in the Secret that the annotation of the CSR names, no matter who created the CSR. The event is recorded while the CSR is pending, once the issuer exists; an approval right after creation can precede it.',
      action: 'Deny the CSR if the requester does not own the Secret.',
      shownIn: ['event'],
    },
  ),
  InvalidSignerName: warning(
    'stuck',
    (signerName: string, detail: string) => `Signer name "${signerName}" is malformed: ${detail}`,
    {
      meaning: 'The signer name is malformed, so no issuer can match it and the CSR would stay pending.',
      action:
        'Delete the CSR and create a new one with the signer name `issuers.cert-manager.io/<namespace>.<name>` or `clusterissuers.cert-manager.io/<name>`; for an external issuer, that of its type.',
    },
  ),
  InvalidSecretName: warning(
    'deny',
    (length: number) =>
      `Annotation "experimental.cert-manager.io/private-key-secret-name" is not a valid Secret name (${length} characters): use lowercase letters, digits, "-" and ".", at most 253 characters`,
    {
      meaning: 'The annotation is not a valid Secret name, so the CSR would stay pending.',
      action: 'Create a new CSR with the name of the Secret that has its private key.',
    },
  ),
  NameTooLong: warning(
    'deny',
    (maximum: number, length: number) => `The name is ${length} characters long; the maximum is ${maximum}`,
    {
      meaning: 'The name of the CSR is longer than the signer supports, so the CSR would stay pending.',
      action: 'Create a new CSR with a shorter name.',
    },
  ),
  ImmutableAnnotation: warning(
    'deny',
    (key: string) => `Annotation "${key}" is immutable because it is part of the request`,
    {
      meaning: 'The annotation determines the certificate, so it is immutable from creation, like the spec.',
      action: 'Delete the CSR and create a new one.',
    },
  ),
  CertificateDiffers: warning(
    'issue',
    (differences: readonly string[]) => `The issued certificate differs from the request: ${differences.join('; ')}`,
    {
      meaning:
        'A server that signs for the issuer, such as Vault, issued a certificate that is not exactly what was requested, for example because its role dropped names, cut the lifetime or set other usages. Certificates for another key, for names that were not requested, or for a CA are never written.',
      action: 'If the certificate does not fit, change the role of the server or the request, then create a new CSR.',
      shownIn: ['event'],
    },
  ),
  AnotherSigner: warning(
    'issue',
    (result: 'issued' | 'failed', ref: SignerRef, type: string) =>
      `${result === 'issued' ? 'The certificate was issued' : 'The CSR was failed'} by another signer, although Countersign signs for ${formatIssuer(ref)}: if cert-manager does too, disable its controller certificatesigningrequests-issuer-${type.toLowerCase()}`,
    {
      meaning:
        'Another program issued or failed the CSR while Countersign was to sign it. Usually cert-manager runs with its feature gate `ExperimentalCertificateSigningRequestControllers`, so that two signers serve one issuer: each takes some CSRs, and both may order a certificate for the same one. One CSR a minute gets the event; the metric `countersign_foreign_completions_total` counts all.',
      action:
        'Switch the feature gate off, or disable the controllers of cert-manager for the types that Countersign serves ([side by side](cert-manager.md#side-by-side-with-its-csr-controllers)).',
      shownIn: ['event'],
    },
  ),
  AccessReviewFailed: warning(
    'deny',
    (ref: SignerRef) => `Cannot verify that the requester may reference ${formatIssuer(ref)}: the access review failed`,
    {
      meaning:
        'The API server did not answer the access review. The webhook denies requests until it does; the signer retries.',
      action: 'Try again. If it keeps failing, check the RBAC rules of the webhook and the signer.',
    },
  ),
};
