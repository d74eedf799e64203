// Builds PKCS#10 requests (RFC 2986) part by part, with existing keys and with contents that no tool would write. Does
// not validate its input.

import { createPublicKey, type KeyLike, sign } from 'node:crypto';
import { encodeBitString, encodeInteger, encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { encodeExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION_REQUEST, SIGNATURE } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';

/** Encodes the DER of a request as in spec.request: base64 of PEM. */
export function encodeRequest(der: Buffer): string {
  return Buffer.from(formatPem('CERTIFICATE REQUEST', der)).toString('base64');
}

export function extension(oid: string, value: Buffer, critical = false): Buffer {
  return encodeExtension({ oid, critical, value });
}

/** The extensionRequest attribute with these extensions. */
export function extensionRequest(...extensions: readonly Buffer[]): Buffer {
  return sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, sequence(...extensions)));
}

/** The DER of the CertificationRequestInfo, which is signed. */
export function requestInfo(key: KeyLike, subject: Buffer, attributes: readonly Buffer[]): Buffer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return sequence(encodeInteger(Buffer.of(0)), subject, spki, tlv(0xa0, ...attributes));
}

export interface RequestSigner {
  /** The private key. */
  readonly key: KeyLike;
  readonly digest: string | null;
  /** The DER of the AlgorithmIdentifier. */
  readonly algorithm: Buffer;
}

/** SHA-256, except for Ed25519. */
export function signerOf(key: KeyLike): RequestSigner {
  const kind = createPublicKey(key).asymmetricKeyType;
  if (kind === 'ed25519') return { key, digest: null, algorithm: sequence(encodeOid(SIGNATURE.ed25519)) };
  const algorithm =
    kind === 'rsa'
      ? sequence(encodeOid(SIGNATURE.rsaSha256), tlv(TAG.null))
      : sequence(encodeOid(SIGNATURE.ecdsaSha256));
  return { key, digest: 'sha256', algorithm };
}

/** The DER of the request with a valid signature. */
export function signRequest(info: Buffer, { key, digest, algorithm }: RequestSigner): Buffer {
  return sequence(info, algorithm, encodeBitString(sign(digest, info, key)));
}
