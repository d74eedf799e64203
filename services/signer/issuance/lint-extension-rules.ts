// Lint rules for the extensions of a certificate: each value is parsed by readers independent of the writers and must
// match the profile. The parser checks that no extension occurs twice. Pure.

import { type Extension, findExtension } from '@countersign/common/x509/extension.ts';
import { parseExtKeyUsage, parseKeyUsage } from '@countersign/common/x509/extension-values.ts';
import { ACCESS_METHOD, EXTENSION } from '@countersign/common/x509/oids.ts';
import { readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';
import {
  readAccessDescriptions,
  readAuthorityKeyIdentifier,
  readDistributionPoints,
  readKeyIdentifier,
} from '../authority/extension-readers.ts';
import { keyIdentifier } from './extensions.ts';
import type { LintRule } from './lint-rule.ts';
import { isAscii, type Profile } from './profile.ts';
import type { TbsCertificate } from './tbs-certificate.ts';

const DIFFERS = 'differs from the profile';
const NOT_ASCII =
  'has a URL that is not printable ASCII: percent-encode it in the issuer spec, and write its host in Punycode';

export const EXTENSION_RULES: readonly LintRule[] = [
  {
    name: 'list of extensions',
    citation: 'RFC 5280 4.2',
    check: ({ extensions }, { profile }) =>
      extensions.map(({ oid }) => oid).join() === expectedOids(profile).join() ? undefined : DIFFERS,
  },
  {
    name: 'authority key identifier',
    citation: 'RFC 5280 4.2.1.1',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.authorityKeyIdentifier, ({ critical, value }) => {
        const identifier = readAuthorityKeyIdentifier(value);
        const expected = profile.issuer.subjectKeyIdentifier;
        return !critical && identifier !== undefined && expected?.equals(identifier) === true;
      }),
  },
  {
    name: 'subject key identifier',
    citation: 'RFC 5280 4.2.1.2',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.subjectKeyIdentifier, ({ critical, value }) => {
        const identifier = readKeyIdentifier(value);
        return !critical && identifier?.equals(keyIdentifier(profile.publicKey)) === true;
      }),
  },
  {
    name: 'key usage',
    citation: 'RFC 5280 4.2.1.3',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.keyUsage, ({ critical, value }) => {
        const mask = parseKeyUsage(value);
        // In DER the last bit is set (X.690 11.2.2), so the mask determines how many bits follow the three octets of
        // tag, length and unused bits.
        const bits = (value.length - 3) * 8 - (value[2] ?? 0);
        return critical && mask.ok && mask.value === profile.keyUsage && bits === 32 - Math.clz32(mask.value);
      }),
  },
  {
    name: 'subject alternative name',
    citation: 'RFC 5280 4.2.1.6',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.subjectAltName, ({ critical, value }) => {
        const matchesProfile = profile.subjectAltName?.equals(value) === true;
        return matchesProfile && critical === profile.hasEmptySubject && readGeneralNames(value).ok;
      }),
  },
  {
    name: 'basic constraints',
    citation: 'RFC 5280 4.2.1.9',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.basicConstraints, ({ critical, value }) => {
        // The only two encodings without a path length: FALSE is the default, which DER omits (X.690 11.5).
        const expected = profile.isCa ? '30030101ff' : '3000';
        return critical && value.toString('hex') === expected;
      }),
  },
  {
    name: 'name constraints',
    citation: 'RFC 5280 4.2.1.10',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.nameConstraints, ({ critical, value }) => {
        const expected = profile.nameConstraints;
        return expected?.critical === critical && expected.value.equals(value);
      }),
  },
  {
    name: 'extended key usage',
    citation: 'RFC 5280 4.2.1.12',
    check: (certificate, { profile }) =>
      checkValue(certificate, EXTENSION.extKeyUsage, ({ critical, value }) => {
        const oids = parseExtKeyUsage(value);
        return !critical && oids.ok && oids.value.join() === profile.extKeyUsages.join();
      }),
  },
  {
    name: 'CRL distribution points',
    citation: 'RFC 5280 4.2.1.13',
    check: (certificate, { profile }) =>
      checkUrls(profile.crlDistributionPoints) ??
      checkValue(certificate, EXTENSION.crlDistributionPoints, ({ critical, value }) => {
        const urls = readDistributionPoints(value);
        return !critical && urls?.join('\n') === profile.crlDistributionPoints.join('\n');
      }),
  },
  {
    name: 'authority information access',
    citation: 'RFC 5280 4.2.2.1',
    check: (certificate, { profile }) =>
      checkUrls([...profile.ocspServers, ...profile.issuingCertificateUrls]) ??
      checkValue(certificate, EXTENSION.authorityInfoAccess, ({ critical, value }) => {
        const descriptions = readAccessDescriptions(value);
        const expected = [
          ...profile.ocspServers.map(url => [ACCESS_METHOD.ocsp, url]),
          ...profile.issuingCertificateUrls.map(url => [ACCESS_METHOD.caIssuers, url]),
        ];
        return !critical && descriptions?.join('\n') === expected.join('\n');
      }),
  },
];

/** Checks the value only; the first rule checks whether the extension is present. */
function checkValue(
  certificate: TbsCertificate,
  oid: string,
  matchesProfile: (extension: Extension) => boolean,
): string | undefined {
  const extension = findExtension(certificate, oid);
  return extension === undefined || matchesProfile(extension) ? undefined : DIFFERS;
}

/** Checks the profile's URLs; a separate check compares the certificate with the profile. */
function checkUrls(urls: readonly string[]): string | undefined {
  return urls.every(isAscii) ? undefined : NOT_ASCII;
}

/** Returns the extensions that the profile requires, in certificate order. */
function expectedOids(profile: Profile): readonly string[] {
  const { issuer, subject, nameConstraints, subjectAltName } = profile;
  const hasAuthority = Boolean(issuer.subjectKeyIdentifier?.length) && !issuer.subject.equals(subject);
  const hasAccess = profile.ocspServers.length + profile.issuingCertificateUrls.length > 0;
  const required: readonly (readonly [string, boolean])[] = [
    [EXTENSION.keyUsage, profile.keyUsage !== 0],
    [EXTENSION.extKeyUsage, profile.extKeyUsages.length > 0],
    [EXTENSION.basicConstraints, true],
    [EXTENSION.subjectKeyIdentifier, profile.hasKeyIdentifier],
    [EXTENSION.authorityKeyIdentifier, hasAuthority],
    [EXTENSION.authorityInfoAccess, hasAccess],
    [EXTENSION.nameConstraints, nameConstraints !== undefined],
    [EXTENSION.crlDistributionPoints, profile.crlDistributionPoints.length > 0],
    [EXTENSION.subjectAltName, subjectAltName !== undefined],
  ];
  return required.filter(([, isRequired]) => isRequired).map(([oid]) => oid);
}
