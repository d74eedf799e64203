// Checks that the requester holds the private key (RFC 2986 section 3), before anything is issued locally or
// remotely. Pure.

import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { isValidSignature } from '@countersign/common/x509/signature.ts';

/** Returns the error message for an invalid signature; undefined if it is valid. */
export function findProofFault({ proof }: RequestedCertificate): string | undefined {
  // SHA-1 is acceptable as proof of possession: the API server and cert-manager accept it.
  if (isValidSignature(proof, 'sha1')) return undefined;
  return reasons.SigningError.template('the signature of the certificate request is not valid');
}
