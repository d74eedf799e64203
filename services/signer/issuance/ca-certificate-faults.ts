// What Go's certificate parser refuses in a CA certificate that OpenSSL reads. The API server reads every certificate of a chain
// with it, and so do most who verify one; cert-manager refuses the whole CA. Error texts are Go's where Go has one.

import { decodeUnsigned, readChildren, readWhole, TAG, type Tlv } from '@countersign/common/der.ts';
import { checkName } from '@countersign/common/distinguished-name.ts';
import { type Extension, findExtension } from '@countersign/common/extension.ts';
import { readConstraints } from '@countersign/common/name-constraints.ts';
import { EXTENSION } from '@countersign/common/oids.ts';
import type { Result } from '@countersign/common/result.ts';
import { readGeneralNames } from '@countersign/common/subject-alt-name.ts';
import { readKeyIdentifier } from './extension-readers.ts';

/** The fields of a TBS certificate that are looked at (RFC 5280 section 4.1). */
export interface CertificateFields {
  /** With its explicit tag; absent in version 1. */
  readonly version: Tlv | undefined;
  readonly serial: Tlv;
  readonly issuer: Tlv;
  readonly subject: Tlv;
  readonly extensions: readonly Extension[];
}

/** The extensions that must not be critical (RFC 5280 sections 4.2.1.1, 4.2.1.2, 4.2.2.1), as Go calls them. */
const NEVER_CRITICAL: readonly (readonly [oid: string, name: string])[] = [
  [EXTENSION.authorityKeyIdentifier, 'authority key identifier'],
  [EXTENSION.subjectKeyIdentifier, 'subject key identifier'],
  [EXTENSION.authorityInfoAccess, 'authority info access'],
];

/** The first fault; undefined when there is none. */
export function findFault(fields: CertificateFields): string | undefined {
  for (const find of FINDERS) {
    const fault = find(fields);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const FINDERS: readonly ((fields: CertificateFields) => string | undefined)[] = [
  ({ version }) => (version === undefined ? undefined : findVersionFault(version)),
  ({ serial }) => findSerialFault(serial),
  ({ issuer }) => findNameFault('issuer', issuer),
  ({ subject }) => findNameFault('subject', subject),
  findCriticalityFault,
  findPathLengthFault,
  valueFault(EXTENSION.subjectKeyIdentifier, findKeyIdentifierFault),
  valueFault(EXTENSION.authorityKeyIdentifier, findAuthorityFault),
  valueFault(EXTENSION.subjectAltName, value => errorOf(readGeneralNames(value))),
  valueFault(EXTENSION.nameConstraints, value => errorOf(readConstraints(value))),
];

/** Looks at the value of one extension, where there is one. */
function valueFault(oid: string, find: (value: Buffer) => string | undefined) {
  return (fields: CertificateFields) => {
    const extension = findExtension(fields, oid);
    return extension && find(extension.value);
  };
}

function errorOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.error;
}

/** 0 to 2, for the versions 1 to 3. */
function findVersionFault({ value }: Tlv): string | undefined {
  const number = readWhole(value);
  const isKnown = number.ok && number.value.tag === TAG.integer && value.length === 3 && (value[2] ?? 3) < 3;
  return isKnown ? undefined : 'x509: invalid version';
}

function findKeyIdentifierFault(value: Buffer): string | undefined {
  return readKeyIdentifier(value) === undefined ? 'x509: invalid subject key identifier' : undefined;
}

function findAuthorityFault(value: Buffer): string | undefined {
  const whole = readWhole(value);
  return whole.ok && whole.value.tag === TAG.sequence ? undefined : 'x509: invalid authority key identifier';
}

function findSerialFault({ tag, value }: Tlv): string | undefined {
  if (tag === TAG.integer && (value[0] ?? 0) >= 0x80) return 'x509: negative serial number';
  return tag === TAG.integer && decodeUnsigned(value).ok ? undefined : 'x509: malformed serial number';
}

function findNameFault(whose: string, name: Tlv): string | undefined {
  const checked = checkName(name);
  return checked.ok ? undefined : `${whose}: ${checked.error}`;
}

function findCriticalityFault(fields: CertificateFields): string | undefined {
  const fault = NEVER_CRITICAL.find(([oid]) => findExtension(fields, oid)?.critical === true);
  return fault && `x509: ${fault[1]} incorrectly marked critical`;
}

/** Go keeps the path length in 64 bits with a sign. */
function findPathLengthFault(fields: CertificateFields): string | undefined {
  const extension = findExtension(fields, EXTENSION.basicConstraints);
  const whole = extension && readWhole(extension.value);
  const children = whole?.ok ? readChildren(whole.value) : undefined;
  const pathLength = children?.ok ? children.value.find(({ tag }) => tag === TAG.integer) : undefined;
  if (pathLength === undefined) return undefined;
  const { value } = pathLength;
  return decodeUnsigned(value).ok && value.length <= 8 ? undefined : 'x509: invalid basic constraints';
}
