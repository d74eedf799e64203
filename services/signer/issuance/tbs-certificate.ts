// Parses a TBS certificate in the only form issued here: version 3, no unique identifiers, no duplicate extensions.
// Deliberately strict, since it parses only what this signer wrote; ca-certificate.ts parses those of others. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { contextTag, readFields, readWhole, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { decodeTime } from '@countersign/common/x509/der-time.ts';
import { type Extension, parseExplicitExtensions } from '@countersign/common/x509/extension.ts';
import { TBS_FIELDS } from '@countersign/common/x509/tbs-fields.ts';

export interface TbsCertificate {
  /** The content of the INTEGER: big-endian, signed. */
  readonly serial: Buffer;
  readonly signatureAlgorithm: Buffer;
  readonly issuer: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly extensions: readonly Extension[];
}

const VERSION_3 = Buffer.of(contextTag(0, 'constructed'), 3, TAG.integer, 1, 2);

export function parseTbsCertificate(tbs: Buffer): Result<TbsCertificate> {
  const whole = readWhole(tbs);
  const fields = whole.ok ? readFields(whole.value, TAG.sequence, TBS_FIELDS) : whole;
  if (!fields.ok) return fields;
  const [version, serial, algorithm, issuer, validity, subject, publicKey, explicit] = fields.value;
  if (!version.bytes.equals(VERSION_3)) return err('not a version 3 certificate');
  const times = parseValidity(validity);
  if (!times.ok) return times;
  const extensions = parseExplicitExtensions(explicit, 'reject');
  if (!extensions.ok) return extensions;
  return ok({
    serial: serial.value,
    signatureAlgorithm: algorithm.bytes,
    issuer: issuer.bytes,
    ...times.value,
    subject: subject.bytes,
    publicKey: publicKey.bytes,
    extensions: extensions.value,
  });
}

function parseValidity(validity: Tlv): Result<Pick<TbsCertificate, 'notBefore' | 'notAfter'>> {
  const times = readFields(validity, TAG.sequence, [TAG.any, TAG.any]);
  if (!times.ok) return times;
  const notBefore = decodeTime(times.value[0]);
  const notAfter = decodeTime(times.value[1]);
  if (!notBefore.ok) return notBefore;
  return notAfter.ok ? ok({ notBefore: notBefore.value, notAfter: notAfter.value }) : notAfter;
}
