// Encodes a profile as a TBS certificate (RFC 5280 section 4.1), exactly the bytes that will be signed. Pure; checks
// nothing: lint does that before anything can be signed.

import { contextTag, encodeInteger, sequence, tlv } from '@countersign/common/x509/der.ts';
import { encodeTime } from '@countersign/common/x509/der-time.ts';
import { encodeExtension } from '@countersign/common/x509/extension.ts';
import type { SignatureAlgorithm } from '@countersign/common/x509/signature-algorithm.ts';
import { profileExtensions } from './extensions.ts';
import type { Profile } from './profile.ts';

export interface PreparedCertificate {
  readonly profile: Profile;
  readonly signatureAlgorithm: SignatureAlgorithm;
  /** The DER of the TBSCertificate. */
  readonly tbs: Buffer;
}

export function prepareCertificate(profile: Profile, signatureAlgorithm: SignatureAlgorithm): PreparedCertificate {
  const version3 = tlv(contextTag(0, 'constructed'), encodeInteger(Buffer.of(2)));
  const extensions = sequence(...profileExtensions(profile).map(encodeExtension));
  const tbs = sequence(
    version3,
    encodeInteger(profile.serial),
    signatureAlgorithm.der,
    profile.issuer.subject,
    sequence(encodeTime(profile.notBefore), encodeTime(profile.notAfter)),
    profile.subject,
    profile.publicKey,
    tlv(contextTag(3, 'constructed'), extensions),
  );
  return { profile, signatureAlgorithm, tbs };
}
