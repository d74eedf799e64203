// Parses and rewrites the value of a nameConstraints extension (RFC 5280 section 4.2.1.10) as cert-manager does: DNS,
// IP, email and URI constraints in that order, and no others. Rejects exactly the texts that Go's certificate parser
// rejects, because the API server could not parse the certificate. Never judges the constraints.

import { isIP } from 'node:net';
import { err, ok, type Result } from '../../result.ts';
import { contextTag, readChildren, readWhole, sequence, TAG, type Tlv, tlv } from '../der.ts';
import { GENERAL_NAME } from '../subject-alt-name.ts';

const INVALID =
  'x509: invalid NameConstraints extension: list permitted names, then excluded names, each list at most once, in DER (RFC 5280 section 4.2.1.10)';
const EMPTY = 'x509: empty name constraints extension: permit or exclude a name, or omit the extension';

/** The order in which Go writes the kinds that it knows. */
const KINDS: readonly number[] = [
  GENERAL_NAME.dnsName,
  GENERAL_NAME.ipAddress,
  GENERAL_NAME.rfc822Name,
  GENERAL_NAME.uniformResourceIdentifier,
];

/**
 * The value that the certificate gets for a requested value. Rejects constraints of other kinds: without them, the
 * certificate would be valid for more than was requested.
 */
export function rewriteNameConstraints(value: Buffer): Result<Buffer> {
  const lists = readConstraints(value);
  if (!lists.ok) return lists;
  const other = lists.value.flatMap(({ subtrees }) => subtrees).find(({ tag }) => !KINDS.includes(tag));
  if (other !== undefined) {
    return err(
      `x509: unsupported NameConstraints tag: ${other.tag}; only DNS, IP, email and URI names can be constrained`,
    );
  }
  return ok(sequence(...lists.value.filter(({ subtrees }) => subtrees.length > 0).map(write)));
}

function write({ tag, subtrees }: ConstraintList): Buffer {
  const sorted = subtrees.toSorted((a, b) => KINDS.indexOf(a.tag) - KINDS.indexOf(b.tag));
  return tlv(tag, ...sorted.map(subtree => sequence(tlv(subtree.tag, subtree.value))));
}

interface ConstraintList {
  readonly tag: number;
  readonly subtrees: readonly Pick<Tlv, 'tag' | 'value'>[];
}

/** As Go parses them in a certificate: constraints of other kinds may have any form. */
export function readConstraints(value: Buffer): Result<readonly ConstraintList[]> {
  const lists = readLists(value);
  if (!lists.ok) return lists;
  const read: ConstraintList[] = [];
  for (const list of lists.value) {
    const subtrees = readSubtrees(list);
    if (!subtrees.ok) return subtrees;
    read.push({ tag: list.tag, subtrees: subtrees.value });
  }
  return ok(read);
}

/** permittedSubtrees [0] and excludedSubtrees [1], each at most once and in this order. */
function readLists(value: Buffer): Result<readonly Tlv[]> {
  const whole = readWhole(value);
  const lists = whole.ok && whole.value.tag === TAG.sequence ? readChildren(whole.value) : err(INVALID);
  if (!lists.ok) return err(INVALID);
  const permitted = contextTag(0, 'constructed');
  const excluded = contextTag(1, 'constructed');
  const tags = lists.value.map(({ tag }) => tag);
  const isOrdered = tags.every(
    (tag, at) => (tag === permitted && at === 0) || (tag === excluded && at + 1 === tags.length),
  );
  if (!isOrdered) return err(INVALID);
  const isEmpty = lists.value.every(list => list.value.length === 0);
  return isEmpty ? err(EMPTY) : ok(lists.value);
}

function readSubtrees(list: Tlv): Result<ConstraintList['subtrees']> {
  const subtrees = readChildren(list);
  if (!subtrees.ok) return err(INVALID);
  const read: Pick<Tlv, 'tag' | 'value'>[] = [];
  for (const subtree of subtrees.value) {
    const base = readBase(subtree);
    if (!base.ok) return base;
    const { tag } = base.value;
    const value = readConstraint(tag, base.value.value);
    if (!value.ok) return value;
    read.push({ tag, value: value.value });
  }
  return ok(read);
}

/** The base of a GeneralSubtree; ignores minimum and maximum, as Go does (RFC 5280 forbids them). */
function readBase(subtree: Tlv): Result<Tlv> {
  const fields = subtree.tag === TAG.sequence ? readChildren(subtree) : err(INVALID);
  const base = fields.ok ? fields.value[0] : undefined;
  return base === undefined ? err(INVALID) : ok(base);
}

function readConstraint(tag: number, value: Buffer): Result<Buffer> {
  if (tag === GENERAL_NAME.ipAddress) return maskNetwork(value);
  const text = value.toString('latin1');
  const problem = findTextProblem(tag, text);
  return problem === undefined ? ok(value) : err(`x509: failed to parse ${problem}`);
}

/** What is wrong with a text constraint, and how to fix it; the first half is Go's text. */
function findTextProblem(tag: number, text: string): string | undefined {
  const shown = JSON.stringify(text);
  if (tag === GENERAL_NAME.dnsName && !isDomain(text)) {
    return `dnsName constraint ${shown}: use a domain, with a leading period to match subdomains only`;
  }
  if (tag === GENERAL_NAME.rfc822Name && !(text.includes('@') ? isMailbox(text) : isDomain(text))) {
    return `rfc822Name constraint ${shown}: use a mailbox, a host, or a domain with a leading period`;
  }
  if (tag !== GENERAL_NAME.uniformResourceIdentifier) return undefined;
  const remedy = 'use a host, or a domain with a leading period';
  // Go accepts no zone (RFC 6874) in an address.
  if (isIP(text) !== 0 && !text.includes('%')) return `URI constraint ${shown}: cannot be IP address; ${remedy}`;
  return isDomain(text) ? undefined : `URI constraint ${shown}: ${remedy}`;
}

/** Address and mask, 4 or 16 octets each; clears the host bits of the address, as Go does. */
function maskNetwork(value: Buffer): Result<Buffer> {
  if (value.length !== 8 && value.length !== 32) {
    return err(
      `x509: IP constraint contained value of length ${value.length}: use an address and a mask, 8 octets for IPv4 or 32 for IPv6`,
    );
  }
  const size = value.length / 2;
  const mask = value.subarray(size);
  const bits = [...mask].map(octet => octet.toString(2).padStart(8, '0')).join('');
  if (bits.includes('01')) {
    return err(`x509: IP constraint contained invalid mask ${mask.toString('hex')}: use ones followed by zeros`);
  }
  return ok(Buffer.concat([Buffer.from(value.subarray(0, size).map((octet, at) => octet & (mask[at] ?? 0))), mask]));
}

/**
 * A domain in a constraint: empty for all, or with a leading period for subdomains only. Go does not limit the length.
 */
function isDomain(text: string): boolean {
  return text === '' || /^\.?[!-\-/-~]+(\.[!-\-/-~]+)*$/.test(text);
}

/** One mailbox: a local part, quoted or not (RFC 5321 section 4.1.2), and a domain, which Go allows to be empty. */
function isMailbox(text: string): boolean {
  if (/\P{ASCII}/u.test(text)) return false;
  const local = text.startsWith('"') ? quotedPart(text) : plainPart(text);
  if (local === undefined) return false;
  const domain = text.slice(local.length);
  return !domain.startsWith('.') && isDomain(domain);
}

/** Up to and including the @. As in RFC 2822, with control characters except NUL and line breaks. */
function quotedPart(text: string): string | undefined {
  const [quoted] = /^"(?:[^"\\\t\n\r]|\\[^\n\r])*"@/.exec(text) ?? [];
  return quoted?.includes('\0') ? undefined : quoted;
}

/** A backslash makes any character part of the name, also here (RFC 3696 section 3). */
function plainPart(text: string): string | undefined {
  const [plain] = /^(?:[\w!#$%&'*+/=?^`{|}~.-]|\\.)+@/s.exec(text) ?? [];
  const name = plain?.slice(0, -1).replace(/\\(.)/gs, '$1');
  return name === undefined || /^\.|\.\.|\.$/.test(name) ? undefined : plain;
}
