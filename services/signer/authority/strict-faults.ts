// Finds violations of RFC 5280 in a CA certificate that only strict clients check (OpenSSL with -x509_strict, Python
// since 3.13): they reject every certificate below such a CA. cert-manager still issues, so nothing is rejected for
// it. Pure.

import { contextTag, readChildren, readWhole, TAG } from '@countersign/common/x509/der.ts';
import { type Extension, findExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';

interface CaFields {
  /** The DER of the Names. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly extensions: readonly Extension[];
}

/** Returns what a CA certificate has or lacks in violation of RFC 5280. */
export function findStrictFaults({ subject, issuer, extensions }: CaFields): readonly string[] {
  const find = (oid: string) => findExtension({ extensions }, oid);
  const authority = find(EXTENSION.authorityKeyIdentifier);
  // A self-signed certificate ends every chain and needs no authority key identifier.
  const needsAuthority = !subject.equals(issuer);
  const faults: readonly (readonly [isThere: boolean, fault: string])[] = [
    [isEmptyName(subject), 'an empty subject (RFC 5280 4.1.2.6)'],
    [find(EXTENSION.basicConstraints)?.critical !== true, 'a non-critical basicConstraints (RFC 5280 4.2.1.9)'],
    [find(EXTENSION.keyUsage) === undefined, 'no keyUsage (RFC 5280 4.2.1.3)'],
    [find(EXTENSION.subjectKeyIdentifier) === undefined, 'no subject key identifier (RFC 5280 4.2.1.2)'],
    [needsAuthority && !(authority && namesKey(authority)), 'no authority key identifier (RFC 5280 4.2.1.1)'],
  ];
  return faults.filter(([isThere]) => isThere).map(([, fault]) => fault);
}

/** A Name without attributes is an empty SEQUENCE: two octets. */
function isEmptyName(name: Buffer): boolean {
  return name.length === 2;
}

function namesKey({ value }: Extension): boolean {
  const whole = readWhole(value);
  const fields = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : undefined;
  return fields?.ok === true && fields.value.some(({ tag }) => tag === contextTag(0, 'primitive'));
}
