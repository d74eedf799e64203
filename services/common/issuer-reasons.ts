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
};
