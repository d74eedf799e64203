// What RFC 5280 demands of a CA certificate that most clients do not ask for, and strict ones do (OpenSSL with -x509_strict, Python
// since 3.13): they reject every certificate below one that lacks it. cert-manager still issues, so nothing is refused for it.
// Pure.

import { contextTag, readChildren, readWhole, TAG } from '@countersign/common/x509/der.ts';
import { type Extension, findExtension } from '@countersign/common/x509/extension.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';

interface CaFields {
  /** The DER of the Names. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly extensions: readonly Extension[];
}

/** What a CA certificate has, or lacks, that it may not. */
export function findStrictFaults({ subject, issuer, extensions }: CaFields): readonly string[] {
  const find = (oid: string) => findExtension({ extensions }, oid);
  const authority = find(EXTENSION.authorityKeyIdentifier);
  // One that has signed itself is the end of every chain, and needs none.
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
