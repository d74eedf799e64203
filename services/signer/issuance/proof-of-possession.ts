// Whether the requester has shown that the private key is theirs (RFC 2986 section 3). Asked before anything is issued, here or by
// somebody else. Pure.

import { reasons } from '@countersign/common/reasons.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { isValidSignature } from '@countersign/common/x509/signature.ts';

/** The message of a request whose signature is not valid; undefined for one that is good. */
export function findProofFault({ proof }: RequestedCertificate): string | undefined {
  // SHA-1 only proves possession here, to a fresh request: the API server and cert-manager let it pass.
  if (isValidSignature(proof, 'sha1')) return undefined;
  return reasons.SigningError.template('the signature of the certificate request is not valid');
}
