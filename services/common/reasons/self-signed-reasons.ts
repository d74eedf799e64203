// Reasons of a CSR for an issuer of type SelfSigned, some of which Vault issuers share. Reasons and messages are
// cert-manager's. Decides nothing.

import { signingError, templateError, updateError, warning } from './reason-entry.ts';

export const selfSignedReasons = {
  MissingAnnotation: warning(
    'fail',
    () => 'Missing private key reference annotation: "experimental.cert-manager.io/private-key-secret-name"',
    {
      meaning: 'The issuer is of type SelfSigned and the CSR does not name the Secret with its private key.',
      action: 'Create a new CSR with the annotation.',
    },
  ),
  SecretNotFound: {
    ...warning('wait', (secret: string) => `Referenced Secret ${secret} not found`, {
      meaning:
        'The Secret with the private key of the request (SelfSigned), or a Secret that a Vault issuer names, does not exist.',
      action: 'Create the Secret. The CSR is signed once it exists (cert-manager fails it for a Vault issuer).',
    }),
    vault: (secret: string) => `Required secret resource not found: Secret ${secret}`,
  },
  ErrorParsingKey: warning(
    'wait',
    (secret: string, error: string) => `Failed to parse signing key from secret ${secret}: ${error}`,
    {
      meaning:
        'The Secret has no usable `tls.key` (an unencrypted private key in PEM), or the private key does not match its public key. The message says what was found.',
      action: 'Fix the Secret. The CSR is signed once it is fixed.',
    },
  ),
  ErrorGettingSecret: warning(
    'retry',
    (secret: string, error: string) => `Failed to get certificate CA key from secret ${secret}: ${error}`,
    {
      meaning: 'The Secret could not be read.',
      action:
        'None, the read is retried (cert-manager fails the CSR). If it keeps failing, check the RBAC rules of the signer.',
    },
  ),
  ErrorGenerating: warning('fail', templateError, {
    meaning: 'The PKCS#10 request contradicts the CSR (usages, CA flag).',
    action: 'Create a new CSR.',
  }),
  ErrorKeyMatch: warning('fail', () => 'Referenced private key in Secret does not match that in the request', {
    meaning: 'The Secret in the annotation has the key of another request.',
    action: 'Create a new CSR that names the right Secret.',
    shownIn: ['Failed condition', 'event', 'countersign_certificates_total'],
  }),
  ErrorSigning: {
    ...warning('fail', signingError, {
      meaning:
        'SelfSigned: the key of the request cannot sign (RSA below 2048 or above 8192 bits, P-224), or the API server rejects the certificate as invalid. Vault: its role refuses the request, or it returned a certificate that was not requested. The message says why.',
      action: 'Create a new CSR, with a new key if the key is the cause, or with what the role of Vault allows.',
    }),
    vault: (problem: string) => `Vault failed to sign: failed to sign certificate by vault: ${problem}`,
  },
  ErrorUpdate: warning('retry', updateError, {
    meaning: 'The certificate could not be written to the CSR.',
    action: 'None, the same certificate is written again later.',
  }),
};
