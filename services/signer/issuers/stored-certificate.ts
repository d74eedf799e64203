// What a certificate stored on a request proves: for which key it is, and who signed it. Its serial number only tells
// ours from those of another signer with the same CA, since anyone may write any serial number. Pure.

import { isValidSignature } from '@countersign/common/x509/signature.ts';
import {
  parseCertificates,
  parseFirstCertificate,
  parseIssuance,
  type SignedLeaf,
} from '../authority/ca-certificate.ts';
import { hasDerivedSerial } from '../issuance/serial.ts';

export interface StoredCertificate {
  /** PEM, leaf first. */
  readonly chainPem: string;
  /** The uid of the request. */
  readonly uid: string;
  /** The DER of the requested SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** PEM of the CA that the request names as the top of the chain; undefined if it names none. */
  readonly recordedTop: string | undefined;
}

/** The leaf, if a local key may have signed it for this request: who signed it is left to be verified. */
export function readLocalLeaf({ chainPem, uid, publicKey }: StoredCertificate): SignedLeaf | undefined {
  const leaf = hasDerivedSerial(chainPem, uid) ? readLeaf(chainPem) : undefined;
  return leaf?.spki.equals(publicKey) ? leaf : undefined;
}

/** Whether the key (the DER of its SubjectPublicKeyInfo) signed the leaf. */
export function isSignedBy({ signed }: SignedLeaf, spki: Buffer): boolean {
  return isValidSignature({ ...signed, spki }, 'no sha1');
}

/**
 * For a remote, whose serials and keys are unknown: returns the recorded top if the chain ends with it or below it. The
 * signer records it in the same write as the certificate.
 */
export function topOfRemote({ chainPem, publicKey, recordedTop }: StoredCertificate): string | undefined {
  if (recordedTop === undefined || !readLeaf(chainPem)?.spki.equals(publicKey)) return undefined;
  const chain = parseCertificates(chainPem);
  const top = parseFirstCertificate(recordedTop);
  const last = chain.ok ? chain.value.at(-1) : undefined;
  if (!top.ok || last === undefined) return undefined;
  const isBelow = () => last.issuer.equals(top.value.subject) && isSignedBy(last, top.value.spki);
  return last.der.equals(top.value.der) || isBelow() ? recordedTop : undefined;
}

function readLeaf(chainPem: string): SignedLeaf | undefined {
  const leaf = parseIssuance(chainPem);
  return leaf.ok ? leaf.value : undefined;
}
