// Rejects CA certificates that OpenSSL accepts but Go, and so the API server, does not. Pure: examines only the
// encoding; never verifies a signature, and checks no dates.

import type { KeyObject } from 'node:crypto';
import { KEY_CERT_SIGN } from '@countersign/common/key-usage.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { decodeUnsigned, readChildren, readFields, readWhole, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { decodeTime } from '@countersign/common/x509/der-time.ts';
import { checkName } from '@countersign/common/x509/distinguished-name.ts';
import { type Extension, parseExplicitExtensions } from '@countersign/common/x509/extension.ts';
import { parseBasicConstraints, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { TBS_FIELDS } from '@countersign/common/x509/tbs-fields.ts';

const VERSION_3 = Buffer.of(TAG.integer, 1, 2);

const CERTIFICATE = [TAG.sequence, TAG.sequence, TAG.bitString] as const;

/**
 * Those that createAuthority and OpenSSL set. Others, such as name constraints, could make an API server reject what
 * the CA signs.
 */
const EXTENSIONS: ReadonlyMap<string, (extension: Extension) => boolean> = new Map([
  [EXTENSION.keyUsage, ({ value }) => allowsSigning(value)],
  [EXTENSION.basicConstraints, ({ value }) => hasShortPathLength(value)],
  [EXTENSION.subjectKeyIdentifier, extension => isIdentifier(extension, TAG.octetString)],
  [EXTENSION.authorityKeyIdentifier, extension => isIdentifier(extension, TAG.sequence)],
]);

/** The error names the unacceptable part of the self-signed CA certificate. */
export function checkShape(der: Buffer, publicKey: KeyObject): Result<true> {
  const fields = readTbs(der);
  if (!fields.ok) return err('unexpected fields');
  const [version, serial, , issuer, validity, subject, key, extensions] = fields.value;
  const hasNumbers = version.value.equals(VERSION_3) && decodeUnsigned(serial.value).ok;
  if (!hasNumbers) return err('a malformed version or serial number');
  if (!issuer.bytes.equals(subject.bytes) || !checkName(subject).ok) return err('a malformed subject');
  if (!hasTwoTimes(validity)) return err('a malformed validity');
  if (!key.bytes.equals(publicKey.export({ format: 'der', type: 'spki' }))) return err('a malformed public key');
  return hasKnownExtensions(extensions) ? ok(true) : err('missing, malformed or unexpected extensions');
}

/** Go compares issuer and subject byte by byte; OpenSSL compares the decoded names. */
export function hasIssuerName(der: Buffer, caDer: Buffer): boolean {
  const [certificate, ca] = [readTbs(der), readTbs(caDer)];
  return certificate.ok && ca.ok && certificate.value[3].bytes.equals(ca.value[5].bytes);
}

/** Also fails when the two signature algorithms differ. */
function readTbs(der: Buffer) {
  const whole = readWhole(der);
  const parts = whole.ok ? readFields(whole.value, TAG.sequence, CERTIFICATE) : whole;
  if (!parts.ok) return parts;
  const [tbs, algorithm] = parts.value;
  const fields = readFields(tbs, TAG.sequence, TBS_FIELDS);
  return !fields.ok || fields.value[2].bytes.equals(algorithm.bytes) ? fields : err('two signature algorithms');
}

function hasTwoTimes(validity: Tlv): boolean {
  const times = readFields(validity, TAG.sequence, [TAG.any, TAG.any]);
  return times.ok && times.value.every(time => decodeTime(time).ok);
}

function hasKnownExtensions(explicit: Tlv): boolean {
  const extensions = parseExplicitExtensions(explicit, 'reject');
  return (
    extensions.ok &&
    extensions.value.some(({ oid }) => oid === EXTENSION.keyUsage) &&
    extensions.value.every(extension => EXTENSIONS.get(extension.oid)?.(extension) === true)
  );
}

function allowsSigning(keyUsage: Buffer): boolean {
  const usages = parseKeyUsage(keyUsage);
  return usages.ok && (usages.value & KEY_CERT_SIGN) !== 0;
}

/** Go stores the path length in an int. */
function hasShortPathLength(basicConstraints: Buffer): boolean {
  const element = readWhole(basicConstraints);
  const fields = element.ok ? readChildren(element.value) : element;
  const isShort = fields.ok && fields.value.every(({ value }) => value.length <= 2);
  return isShort && parseBasicConstraints(basicConstraints).ok;
}

/** Go rejects a critical one. */
function isIdentifier({ critical, value }: Extension, tag: number): boolean {
  const element = readWhole(value);
  return !critical && element.ok && element.value.tag === tag;
}
