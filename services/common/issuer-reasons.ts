// What is ever said about an Issuer or a ClusterIssuer: its Ready condition and the events on it, in cert-manager's words
// wherever it has one. reasons.ts has all reasons together. Decides nothing.

import { normal, warning } from './reason-entry.ts';

const keyPairError = (error: string) => `Error getting keypair for CA issuer: ${error}`;

/** The Ready condition of issuers, and the events on them. */
export const issuerReasons = {
  KeyPairVerified: normal('ready', () => 'Signing CA verified', 'The CA issuer has a key pair and can sign.'),
  ErrGetKeyPair: warning(
    'wait',
    keyPairError,
    'The Secret of the CA issuer is missing or holds no usable key pair. Correct it: the issuer then becomes ready.',
  ),
  ErrInvalidKeyPair: warning(
    'wait',
    () => keyPairError('certificate is not a CA'),
    'The certificate in the Secret of the CA issuer does not have the CA flag. Put a CA certificate there.',
  ),
  ErrInitIssuer: warning(
    'wait',
    (error: string) => `Error initializing issuer: ${error}`,
    'The issuer could not be made ready. Its Ready condition says why.',
  ),
  IsReady: normal('ready', () => '', 'The SelfSigned issuer needs nothing and can sign.'),
  // cert-manager has no word for it.
  NotStrictlyValid: warning(
    'ready',
    (fault: string) => `Strict clients reject certificates that this issuer signs: ${fault}; issue the CA again`,
    'A certificate of the CA lacks what RFC 5280 demands, and clients that check it (OpenSSL with `-x509_strict`, Python since 3.13) reject all certificates below it. Issue the CA again, with what is missing, and put it into the Secret; `openssl req -x509` adds a keyUsage with `-addext keyUsage=critical,keyCertSign,cRLSign` only.',
  ),
  TrustBundleNotPublished: warning(
    'ready',
    (problem: string) => `Trust bundle not published as it should be: ${problem}`,
    'The ClusterTrustBundle of the issuer is missing or out of date; the signer still signs. The message says why: a missing permission (`attest` on the signer name, or the verbs on clustertrustbundles), a CA certificate without the CA flag, or more retired CA certificates than fit into 1 MiB.',
  ),
  TrustAnchorNotRoot: warning(
    'ready',
    () =>
      'The trust bundle has an intermediate CA certificate, because the Secret has no root: OpenSSL accepts it only with partial_chain; put the root into ca.crt',
    'The root of the CA is unknown, so the ClusterTrustBundle has the top of the chain that is known. Go accepts an intermediate as a trust anchor; OpenSSL does with `-partial_chain` only. Put the root into `ca.crt` of the Secret.',
  ),
  OldCaExpired: normal(
    'ready',
    (fingerprints: readonly string[]) =>
      `Retired CA certificates are no longer in the trust bundle: ${fingerprints.join(', ')}`,
    'A CA certificate that the issuer no longer has was kept in the ClusterTrustBundle for `trustBundles.keepRetired`, or until it expired, and is now dropped. The message has its SHA-256 fingerprint. Certificates under it are no longer accepted by pods that use the bundle.',
  ),
};
