// Lint rules for the fields of a certificate: the bytes must match the profile and conform to RFC 5280. Pure.

import { decodeUnsigned } from '@countersign/common/x509/der.ts';
import { checkPublicKey } from '@countersign/common/x509/public-key.ts';
import type { LintRule } from './lint-rule.ts';

export const FIELD_RULES: readonly LintRule[] = [
  {
    name: 'serial',
    citation: 'RFC 5280 4.1.2.2',
    check: ({ serial }, { profile }) => {
      if ((serial[0] ?? 0x80) >= 0x80) return 'is negative';
      if (serial.every(octet => octet === 0)) return 'is zero';
      if (serial.length > 20) return 'is longer than 20 octets';
      if (!decodeUnsigned(serial).ok) return 'is not minimally encoded';
      return isSameNumber(serial, profile.serial) ? undefined : 'differs from the profile';
    },
  },
  {
    name: 'signature algorithm',
    citation: 'RFC 5280 4.1.2.3',
    check: (certificate, { signatureAlgorithm }) =>
      certificate.signatureAlgorithm.equals(signatureAlgorithm.der) ? undefined : 'does not match the signing key',
  },
  {
    name: 'issuer',
    citation: 'RFC 5280 4.1.2.4',
    check: ({ issuer }, { profile }) =>
      issuer.equals(profile.issuer.subject) ? undefined : 'differs from the profile',
  },
  {
    name: 'validity',
    citation: 'RFC 5280 4.1.2.5',
    check: ({ notBefore, notAfter }, { profile }) => {
      if (notBefore >= notAfter) return 'has notAfter at or before notBefore';
      const matchesProfile = +notBefore === +profile.notBefore && +notAfter === +profile.notAfter;
      return matchesProfile ? undefined : 'differs from the profile';
    },
  },
  {
    name: 'subject',
    citation: 'RFC 5280 4.1.2.6',
    check: ({ subject }, { profile }) => {
      if (!subject.equals(profile.subject)) return 'differs from the profile';
      // An empty Name is an empty SEQUENCE: two octets. It determines whether subjectAltName is critical.
      return (subject.length === 2) === profile.hasEmptySubject ? undefined : 'differs from the profile';
    },
  },
  {
    name: 'public key',
    citation: 'RFC 5280 4.1.2.7',
    check: ({ publicKey }, { profile }) => {
      if (!publicKey.equals(profile.publicKey)) return 'differs from the profile';
      return checkPublicKey(publicKey).ok ? undefined : 'has an unsupported type or encoding';
    },
  },
];

/** Compares the content of an INTEGER with a magnitude, ignoring leading zeros. */
function isSameNumber(a: Buffer, b: Buffer): boolean {
  return BigInt(`0x00${a.toString('hex')}`) === BigInt(`0x00${b.toString('hex')}`);
}
