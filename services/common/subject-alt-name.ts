// The value of a subjectAltName extension (RFC 5280 section 4.2.1.6): every name in it, of whichever kind. Sees what it
// cannot read (otherName and the like) instead of passing over it, and never judges a name.

import { readChildren, readFields, readWhole, TAG, type Tlv } from './der.ts';
import { err, ok, type Result } from './result.ts';

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

const NAME_BY_TAG: ReadonlyMap<number, string> = new Map(
  Object.entries(GENERAL_NAME).map(([name, tag]) => [tag, name] as const),
);

const TEXT_TAGS: ReadonlySet<number> = new Set<number>([
  GENERAL_NAME.rfc822Name,
  GENERAL_NAME.dnsName,
  GENERAL_NAME.uniformResourceIdentifier,
]);

/** The names, in order; their `tag` is one of GENERAL_NAME. Error texts are Go's where Go has one. */
export function readGeneralNames(value: Buffer): Result<readonly Tlv[]> {
  const whole = readWhole(value);
  if (!whole.ok || whole.value.tag !== TAG.sequence) return err('x509: invalid subject alternative names');
  const names = readChildren(whole.value);
  if (!names.ok) return err('x509: invalid subject alternative name');
  for (const name of names.value) {
    const problem = findProblem(name);
    if (problem !== undefined) return err(problem);
  }
  return ok(names.value);
}

function findProblem({ tag, value, bytes }: Tlv): string | undefined {
  const kind = NAME_BY_TAG.get(tag);
  if (kind === undefined) return 'x509: invalid subject alternative name';
  if (TEXT_TAGS.has(tag) && value.some(octet => octet > 0x7f)) return `x509: SAN ${kind} is malformed`;
  if (tag === GENERAL_NAME.ipAddress && value.length !== 4 && value.length !== 16) {
    return `x509: cannot parse IP address of length ${value.length}`;
  }
  // RFC 5280: directoryName holds one Name (the choice makes its tag explicit).
  const isName = tag !== GENERAL_NAME.directoryName || readFields({ tag, value, bytes }, tag, [TAG.sequence]).ok;
  return isName ? undefined : `x509: SAN ${kind} is malformed`;
}
