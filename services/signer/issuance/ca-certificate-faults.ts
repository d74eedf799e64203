// What Go's certificate parser refuses in a CA certificate that OpenSSL reads. The API server reads every certificate of a chain
// with it, and so do most who verify one; cert-manager refuses the whole CA. Error texts are Go's where Go has one.

import { decodeUnsigned, readChildren, readWhole, TAG, type Tlv } from '@countersign/common/der.ts';
import { checkName } from '@countersign/common/distinguished-name.ts';
import { type Extension, findExtension } from '@countersign/common/extension.ts';
import { rewriteNameConstraints } from '@countersign/common/name-constraints.ts';
import { EXTENSION } from '@countersign/common/oids.ts';

/** The fields of a TBS certificate that are looked at (RFC 5280 section 4.1). */
export interface CertificateFields {
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
  return (
    findSerialFault(fields.serial) ??
    findNameFault('issuer', fields.issuer) ??
    findNameFault('subject', fields.subject) ??
    findCriticalityFault(fields) ??
    findPathLengthFault(fields) ??
    findConstraintsFault(fields)
  );
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

function findConstraintsFault(fields: CertificateFields): string | undefined {
  const extension = findExtension(fields, EXTENSION.nameConstraints);
  const constraints = extension && rewriteNameConstraints(extension.value);
  return constraints === undefined || constraints.ok ? undefined : constraints.error;
}
