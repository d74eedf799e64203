// Writes the names of a certificate that is not made from a request of its own: the value of a subjectAltName
// extension (RFC 5280 section 4.2.1.6), and a subject of one common name. The inverse of readGeneralNames. Pure; never
// judges a name.

import { encodeOid, sequence, TAG, tlv } from './der.ts';
import { GENERAL_NAME } from './subject-alt-name.ts';

/** A name as ASCII text, without escapes. */
export interface GeneralName {
  readonly kind: 'dns' | 'uri';
  readonly text: string;
}

const TAGS = { dns: GENERAL_NAME.dnsName, uri: GENERAL_NAME.uniformResourceIdentifier } as const;

/** The value of the extension, with the names in their order. */
export function encodeGeneralNames(names: readonly GeneralName[]): Buffer {
  return sequence(...names.map(({ kind, text }) => tlv(TAGS[kind], Buffer.from(text))));
}

const COMMON_NAME = '2.5.4.3';
const UTF8_STRING = 0x0c;

/** The Name with this common name, or the empty one. */
export function encodeSubject(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence();
  const attribute = sequence(encodeOid(COMMON_NAME), tlv(UTF8_STRING, Buffer.from(commonName)));
  return sequence(tlv(TAG.set, attribute));
}
