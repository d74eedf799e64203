// PKCS#10 requests as in spec.request, built from parts of a valid one and from parts that no tool would write. Their
// signatures are invalid, which does not affect parsing.

import assert from 'node:assert/strict';
import { readChildren, readWhole, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { type Pkcs10, parsePkcs10 } from '@countersign/common/x509/pkcs10.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { encodeRequest, extension } from './pkcs10-builder.ts';
import { valueOf } from './pki.ts';
import { readRequest } from './vectors.ts';

export function parse(request: string): Pkcs10 {
  return valueOf(parsePkcs10(request));
}

export function pemOf(request: string): string {
  return Buffer.from(request, 'base64').toString();
}

export function encode(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

export interface Parts {
  readonly version?: Buffer;
  readonly subject?: Buffer;
  readonly spki?: Buffer;
  readonly attributes?: readonly Buffer[];
  readonly algorithm?: Buffer;
  /** Unused bits in the last octet of the signature. */
  readonly unusedBits?: number;
}

/** Returns a request with some parts replaced. Its signature is invalid, which does not affect parsing. */
export function withParts(parts: Parts): string {
  const { certificationRequestInfo, signatureAlgorithm, signature } = parse(readRequest('p256'));
  const [version, subject, spki, attributes] = valueOf(readChildren(valueOf(readWhole(certificationRequestInfo))));
  assert.ok(version && subject && spki && attributes);
  const info = sequence(
    parts.version ?? version.bytes,
    parts.subject ?? subject.bytes,
    parts.spki ?? spki.bytes,
    parts.attributes ? tlv(0xa0, ...parts.attributes) : attributes.bytes,
  );
  return encodeRequest(
    sequence(
      info,
      parts.algorithm ?? signatureAlgorithm,
      tlv(TAG.bitString, Buffer.of(parts.unusedBits ?? 0), signature),
    ),
  );
}

export function withAttributes(...attributes: readonly Buffer[]): string {
  return withParts({ attributes });
}

export const dnsName = sequence(tlv(GENERAL_NAME.dnsName, Buffer.from('a.example')));
export const names = extension(EXTENSION.subjectAltName, dnsName);
