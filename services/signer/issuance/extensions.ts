// Builds the extensions of a certificate from its profile: which ones, in which order, their criticality and DER
// values, as Go's CreateCertificate writes them for cert-manager's template. Decides nothing beyond the profile. Pure.

import { hash } from 'node:crypto';
import {
  contextTag,
  encodeBoolean,
  encodeOctetString,
  encodeOid,
  sequence,
  tlv,
} from '@countersign/common/x509/der.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import { encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import { ACCESS_METHOD, EXTENSION } from '@countersign/common/x509/oids.ts';
import { publicKeyOctets } from '@countersign/common/x509/public-key.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import type { Profile } from './profile.ts';

/** Returns the extensions in certificate order; the copied subjectAltName comes last. */
export function profileExtensions(profile: Profile): readonly Extension[] {
  const candidates = [
    keyUsage(profile),
    extKeyUsage(profile),
    basicConstraints(profile),
    subjectKeyIdentifier(profile),
    authorityKeyIdentifier(profile),
    authorityInfoAccess(profile),
    profile.nameConstraints,
    crlDistributionPoints(profile),
    subjectAltName(profile),
  ];
  return candidates.filter(extension => extension !== undefined);
}

function keyUsage({ keyUsage: mask }: Profile): Extension | undefined {
  if (mask === 0) return undefined;
  return { oid: EXTENSION.keyUsage, critical: true, value: encodeNamedBits(mask) };
}

function extKeyUsage({ extKeyUsages }: Profile): Extension | undefined {
  if (extKeyUsages.length === 0) return undefined;
  return { oid: EXTENSION.extKeyUsage, critical: false, value: sequence(...extKeyUsages.map(encodeOid)) };
}

/** Always present and critical; no path length, and FALSE omitted as the default (X.690 11.5). */
function basicConstraints({ isCa }: Profile): Extension {
  const value = isCa ? sequence(encodeBoolean(true)) : sequence();
  return { oid: EXTENSION.basicConstraints, critical: true, value };
}

function subjectKeyIdentifier({ hasKeyIdentifier, publicKey }: Profile): Extension | undefined {
  if (!hasKeyIdentifier) return undefined;
  const value = encodeOctetString(keyIdentifier(publicKey));
  return { oid: EXTENSION.subjectKeyIdentifier, critical: false, value };
}

/**
 * RFC 7093 section 2 method 1: the leftmost 160 bits of the SHA-256 of the public key's octets, as in Go since 1.25.
 */
export function keyIdentifier(spki: Buffer): Buffer {
  const octets = publicKeyOctets(spki) ?? Buffer.alloc(0);
  return hash('sha256', octets, 'buffer').subarray(0, 20);
}

/**
 * Omitted if subject and issuer names are equal (Go's notion of self-signed) or the issuer has no identifier: it is
 * never computed.
 */
function authorityKeyIdentifier({ issuer, subject }: Profile): Extension | undefined {
  const { subjectKeyIdentifier: identifier } = issuer;
  if (identifier === undefined || identifier.length === 0 || issuer.subject.equals(subject)) return undefined;
  const value = sequence(tlv(contextTag(0, 'primitive'), identifier));
  return { oid: EXTENSION.authorityKeyIdentifier, critical: false, value };
}

/** OCSP servers first, then the issuer certificate's URLs (RFC 5280 section 4.2.2.1). */
function authorityInfoAccess({ ocspServers, issuingCertificateUrls }: Profile): Extension | undefined {
  const descriptions = [
    ...ocspServers.map(url => sequence(encodeOid(ACCESS_METHOD.ocsp), uri(url))),
    ...issuingCertificateUrls.map(url => sequence(encodeOid(ACCESS_METHOD.caIssuers), uri(url))),
  ];
  if (descriptions.length === 0) return undefined;
  return { oid: EXTENSION.authorityInfoAccess, critical: false, value: sequence(...descriptions) };
}

/** One DistributionPoint per URL, with its fullName [0] inside distributionPoint [0] (RFC 5280 section 4.2.1.13). */
function crlDistributionPoints({ crlDistributionPoints: urls }: Profile): Extension | undefined {
  if (urls.length === 0) return undefined;
  const outer = contextTag(0, 'constructed');
  const points = urls.map(url => sequence(tlv(outer, tlv(outer, uri(url)))));
  return { oid: EXTENSION.crlDistributionPoints, critical: false, value: sequence(...points) };
}

/** Critical if the subject is empty (RFC 5280 section 4.2.1.6), regardless of the request. */
function subjectAltName({ subjectAltName: value, hasEmptySubject }: Profile): Extension | undefined {
  return value && { oid: EXTENSION.subjectAltName, critical: hasEmptySubject, value };
}

function uri(url: string): Buffer {
  return tlv(GENERAL_NAME.uniformResourceIdentifier, Buffer.from(url));
}
