// The reasons of an Issuer or a ClusterIssuer: its Ready condition and its events. Reasons and messages are
// cert-manager's where it has them; reasons.ts combines all reasons. Decides nothing.

import { normal, warning } from './reason-entry.ts';

const keyPairError = (error: string) => `Error getting keypair for CA issuer: ${error}`;

export const issuerReasons = {
  KeyPairVerified: normal('ready', () => 'Signing CA verified', {
    meaning: 'The CA issuer has a valid key pair and can sign.',
    action: 'None.',
  }),
  ErrGetKeyPair: warning('wait', keyPairError, {
    meaning: 'The Secret of the CA issuer is missing or has no usable key pair.',
    action: 'Create or fix the Secret. The issuer then becomes Ready.',
  }),
  ErrInvalidKeyPair: warning('wait', () => keyPairError('certificate is not a CA'), {
    meaning: 'The certificate in the Secret of the CA issuer is not a CA certificate.',
    action: 'Store a CA certificate in the Secret.',
  }),
  ErrInitIssuer: warning('wait', (error: string) => `Error initializing issuer: ${error}`, {
    meaning: 'The issuer could not be initialized.',
    action: 'Fix the cause shown in the Ready condition of the issuer.',
    shownIn: ['event'],
  }),
  IsReady: normal('ready', () => '', {
    meaning: 'A SelfSigned issuer has no configuration to verify; it is always Ready.',
    action: 'None.',
    shownIn: ['Ready condition'],
  }),
  VaultVerified: normal('ready', () => 'Vault verified', {
    meaning: 'The signer can log in to the Vault server of the issuer, and the server is unsealed.',
    action: 'None.',
    shownIn: ['Ready condition'],
  }),
  VaultError: {
    ...warning('wait', (problem: string) => problem, {
      meaning:
        'The spec of the Vault issuer is incomplete, its server cannot be reached or is sealed, or the login fails. The message says which.',
      action:
        'Fix what the message says. The issuer is checked again when its Secret changes, and at least once a minute.',
      shownIn: ['Ready condition'],
    }),
    client: (problem: string) => `Failed to initialize Vault client: ${problem}`,
    health: (problem: string) => `Failed to verify Vault is initialized and unsealed: ${problem}`,
  },
  // Not in cert-manager.
  NotStrictlyValid: warning(
    'ready',
    (fault: string) =>
      `Strict X.509 clients reject certificates from this issuer: ${fault}; reissue the CA certificate`,
    {
      meaning:
        'The CA certificate lacks a field that RFC 5280 requires. Clients that check it (OpenSSL with `-x509_strict`, Python since 3.13) reject every certificate below the CA.',
      action:
        'Reissue the CA certificate with the missing field and store it in the Secret. `openssl req -x509` adds keyUsage only with `-addext keyUsage=critical,keyCertSign,cRLSign`.',
      shownIn: ['event'],
    },
  ),
  TrustBundleNotPublished: warning(
    'ready',
    (problem: string) => `Trust bundle not published as it should be: ${problem}`,
    {
      meaning:
        'The ClusterTrustBundle of the issuer is missing or out of date; the signer still signs. The message says why: a missing permission (`attest` on the signer name, or the verbs on clustertrustbundles), a CA certificate without the CA flag, or more retired CA certificates than fit into 1 MiB.',
      action: 'Fix what the message says. The bundle is then published.',
      shownIn: ['event'],
    },
  ),
  TrustAnchorNotRoot: warning(
    'ready',
    () =>
      'The trust bundle has an intermediate CA certificate, because the Secret has no root: OpenSSL accepts it only with partial_chain; put the root into ca.crt',
    {
      meaning:
        'The root of the CA is unknown, so the ClusterTrustBundle has the top of the known chain. Go accepts an intermediate CA as a trust anchor; OpenSSL does only with `-partial_chain`.',
      action: 'Add the root to `ca.crt` of the Secret.',
      shownIn: ['event'],
    },
  ),
  OldCaExpired: normal(
    'ready',
    (fingerprints: readonly string[]) =>
      `Retired CA certificates are no longer in the trust bundle: ${fingerprints.join(', ')}`,
    {
      meaning:
        'A CA certificate that the issuer no longer has was kept in the ClusterTrustBundle for `trustBundles.keepRetired`, or until it expired, and is now removed. The message has its SHA-256 fingerprint.',
      action: 'None. Pods that use the bundle no longer accept certificates of that CA.',
      shownIn: ['event'],
    },
  ),
};
