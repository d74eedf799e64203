// Writes a PKCS#10 request (RFC 2986) for a key, a subject and a subjectAltName. Usages and the CA flag are in the CSR.

import { type KeyObject, sign } from 'node:crypto';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { encodeBitString, encodeInteger, encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { encodeExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION, EXTENSION_REQUEST } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { checkPublicKey } from '@countersign/common/x509/public-key.ts';
import { chooseSignatureAlgorithm } from '@countersign/common/x509/signature-algorithm.ts';
import { publicKeyOf } from './key-pair.ts';

export interface Pkcs10Parts {
  readonly key: KeyObject;
  /** The DER of the Name. */
  readonly subject: Buffer;
  /** The value of the extension. */
  readonly altNames: Buffer | undefined;
}

/** PEM; the error says why the key cannot sign. */
export function createPkcs10({ key, subject, altNames }: Pkcs10Parts): Result<string> {
  const spki = publicKeyOf(key);
  const kind = checkPublicKey(spki);
  if (!kind.ok) return err(kind.error);
  const algorithm = chooseSignatureAlgorithm(kind.value, key.asymmetricKeyDetails ?? {});
  if (!algorithm.ok) return err(algorithm.error);
  const info = sequence(encodeInteger(Buffer.of(0)), subject, spki, tlv(0xa0, ...attributesFor(altNames)));
  const signature = encodeBitString(sign(algorithm.value.digest, info, key));
  return ok(formatPem('CERTIFICATE REQUEST', sequence(info, algorithm.value.der, signature)));
}

function attributesFor(altNames: Buffer | undefined): readonly Buffer[] {
  if (altNames === undefined) return [];
  const extension = encodeExtension({ oid: EXTENSION.subjectAltName, critical: false, value: altNames });
  return [sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, sequence(extension)))];
}
