// Builds CA certificates part by part, for long chains and for certificates that openssl cannot create.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  encodeBitString,
  encodeBoolean,
  encodeInteger,
  encodeOid,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { type Extension, encodeExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION, SIGNATURE } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';

/** The subject or issuer of a certificate. */
export interface Holder {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function createHolder(name: string): Holder {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

/** `keyPem` is a private key, RSA or P-256. */
export function holderOfKey(name: string, keyPem: string): Holder {
  return { name, publicKey: createPublicKey(keyPem), privateKey: createPrivateKey(keyPem) };
}

export interface CertificateParts {
  /** The encoded version, one less than the X.509 version; `absent` is version 1, without extensions. */
  readonly version?: number | 'absent';
  /** The DER of the INTEGER. */
  readonly serial?: Buffer;
  /** The DER of the subject's Name. */
  readonly subject?: Buffer;
  /** The DER of the issuer's Name. */
  readonly issuer?: Buffer;
  /** The content of basicConstraints. */
  readonly basicConstraints?: Buffer | 'absent';
  /** The DER of the SubjectPublicKeyInfo. */
  readonly spki?: Buffer;
  /** The algorithm in the TBS certificate. */
  readonly algorithm?: Buffer;
  readonly extensions?: readonly Extension[];
  /** notBefore as UTCTime. */
  readonly begins?: string;
  /** notAfter as UTCTime. */
  readonly ends?: string;
}

export function nameOf(text: string, tag = 0x0c): Buffer {
  return sequence(tlv(TAG.set, sequence(encodeOid('2.5.4.3'), tlv(tag, Buffer.from(text)))));
}

const ECDSA = sequence(encodeOid(SIGNATURE.ecdsaSha256));
const RSA = sequence(encodeOid(SIGNATURE.rsaSha256), tlv(TAG.null));

/** Returns the PEM of a CA certificate for `subject` signed by `issuer`; self-signed by default. */
export function buildCertificate(subject: Holder, issuer: Holder = subject, parts: CertificateParts = {}): string {
  const algorithm = issuer.privateKey.asymmetricKeyType === 'rsa' ? RSA : ECDSA;
  const { version = 2 } = parts;
  const tbs = sequence(
    ...(version === 'absent' ? [] : [tlv(0xa0, encodeInteger(Buffer.of(version)))]),
    parts.serial ?? encodeInteger(Buffer.of(1)),
    parts.algorithm ?? algorithm,
    issuerOf(issuer, parts),
    validityOf(parts),
    parts.subject ?? nameOf(subject.name),
    spkiOf(subject, parts),
    ...explicitExtensions(parts),
  );
  const signature = sign('sha256', tbs, issuer.privateKey);
  return formatPem('CERTIFICATE', sequence(tbs, algorithm, encodeBitString(signature)));
}

function issuerOf({ name }: Holder, { issuer }: CertificateParts): Buffer {
  return issuer ?? nameOf(name);
}

function spkiOf({ publicKey }: Holder, { spki }: CertificateParts): Buffer {
  return spki ?? publicKey.export({ format: 'der', type: 'spki' });
}

function validityOf({ begins = '260101000000Z', ends = '460101000000Z' }: CertificateParts): Buffer {
  return sequence(...[begins, ends].map(time => tlv(TAG.utcTime, Buffer.from(time))));
}

function explicitExtensions(parts: CertificateParts): readonly Buffer[] {
  const extensions = parts.version === 'absent' ? [] : extensionsOf(parts);
  return extensions.length === 0 ? [] : [tlv(0xa3, sequence(...extensions.map(encodeExtension)))];
}

function extensionsOf(parts: CertificateParts): readonly Extension[] {
  const { basicConstraints: value = sequence(encodeBoolean(true)), extensions = [] } = parts;
  return value === 'absent' ? extensions : [{ oid: EXTENSION.basicConstraints, critical: true, value }, ...extensions];
}
