// Parses the value of a subjectAltName extension (RFC 5280 section 4.2.1.6): every name of every kind. Keeps names that
// it cannot interpret (otherName and the like) instead of skipping them, and never judges the identity.

import { err, ok, type Result } from '../result.ts';
import { shorten } from '../short-text.ts';
import { readChildren, readFields, readWhole, TAG, type Tlv } from './der.ts';
import { isUri } from './uri-name.ts';

/** Identifier octets of the choices of GeneralName. */
export const GENERAL_NAME = {
  otherName: 0xa0,
  rfc822Name: 0x81,
  dnsName: 0x82,
  x400Address: 0xa3,
  directoryName: 0xa4,
  ediPartyName: 0xa5,
  uniformResourceIdentifier: 0x86,
  ipAddress: 0x87,
  registeredId: 0x88,
} as const;

/** Names that are text: Go's name for each, and how to write non-ASCII text in ASCII. */
const TEXTS: ReadonlyMap<number, { readonly name: string; readonly remedy: string }> = new Map([
  [GENERAL_NAME.rfc822Name, { name: 'rfc822Name', remedy: 'encode its domain in Punycode' }],
  [GENERAL_NAME.dnsName, { name: 'dNSName', remedy: 'encode it in Punycode' }],
  [GENERAL_NAME.uniformResourceIdentifier, { name: 'uniformResourceIdentifier', remedy: 'percent-encode it' }],
]);

const KINDS: ReadonlySet<number> = new Set(Object.values(GENERAL_NAME));

/** Maximum characters of a URI in a message. */
const MAX_SHOWN = 256;

/**
 * The names, in order; their `tag` is one of GENERAL_NAME. Rejects what Go's certificate parser rejects, and names of
 * unknown kinds. An error begins with Go's text where Go has one.
 */
export function readGeneralNames(value: Buffer): Result<readonly Tlv[]> {
  const whole = readWhole(value);
  if (!whole.ok || whole.value.tag !== TAG.sequence) {
    return err('x509: invalid subject alternative names: must be one SEQUENCE of names without trailing data');
  }
  const names = readChildren(whole.value);
  if (!names.ok) return err(`x509: invalid subject alternative name: ${names.error}: encode each name in DER`);
  for (const name of names.value) {
    const problem = findProblem(name);
    if (problem !== undefined) return err(problem);
  }
  return ok(names.value);
}

function findProblem(name: Tlv): string | undefined {
  const { tag, value } = name;
  if (!KINDS.has(tag)) {
    const octet = `0x${tag.toString(16).padStart(2, '0')}`;
    return `x509: invalid subject alternative name: unknown name type, tag ${octet} (RFC 5280 section 4.2.1.6): remove it`;
  }
  if (tag === GENERAL_NAME.ipAddress && value.length !== 4 && value.length !== 16) {
    return `x509: cannot parse IP address of length ${value.length}: use 4 octets for IPv4 or 16 for IPv6`;
  }
  // RFC 5280: directoryName holds one Name (the choice makes its tag explicit).
  if (tag === GENERAL_NAME.directoryName && !readFields(name, tag, [TAG.sequence]).ok) {
    return 'x509: SAN directoryName is malformed: must contain one Name (RFC 5280 section 4.1.2.4)';
  }
  return findTextProblem(name);
}

function findTextProblem({ tag, value }: Tlv): string | undefined {
  const text = TEXTS.get(tag);
  if (text === undefined) return undefined;
  if (value.some(octet => octet > 0x7f)) return `x509: SAN ${text.name} is malformed: not ASCII: ${text.remedy}`;
  if (tag !== GENERAL_NAME.uniformResourceIdentifier) return undefined;
  const uri = value.toString('latin1');
  if (isUri(uri)) return undefined;
  return `x509: cannot parse URI ${JSON.stringify(shorten(uri, MAX_SHOWN))}: use a URI that conforms to RFC 3986, or remove it`;
}
