// The names in a request that name constraints apply to: those of its subjectAltName and its subject, and a common name
// or an email address in the subject that verifiers treat as such a name. Pure; never judges a name.

import { readWhole, type Tlv } from '../der.ts';
import { GENERAL_NAME, readGeneralNames } from '../subject-alt-name.ts';
import { KNOWN_TO_GO, kindOf, nameIn } from './constraint-subtrees.ts';
import { ATTRIBUTE, type Attribute, comparableRdns, formatName, type Rdn, readRdns } from './directory-name.ts';
import { isHostLike } from './name-syntax.ts';

export interface ConstrainedName {
  /** The kind of subtrees that it is compared with (kindOf). */
  readonly kind: string;
  readonly tag: number;
  readonly value: Buffer;
  readonly text: string;
  /** The parts of a directoryName, for comparison. */
  readonly rdns: readonly string[];
  /** For messages: what it is, and how it is written. */
  readonly label: string;
  readonly shown: string;
  /** Whether Go checks it as well: only subjectAltName names that Go parses. */
  readonly isSeenByGo: boolean;
  /** Whether OpenSSL rejects it under any constraint because it cannot parse it. */
  readonly isUnreadable: boolean;
}

export interface Named {
  /** The DER of the Name. */
  readonly subject: Buffer;
  /** The value of the extension. */
  readonly subjectAltName?: Buffer;
}

const LABELS: ReadonlyMap<number, string> = new Map<number, string>([
  [GENERAL_NAME.dnsName, 'DNS name'],
  [GENERAL_NAME.rfc822Name, 'email address'],
  [GENERAL_NAME.ipAddress, 'IP address'],
  [GENERAL_NAME.uniformResourceIdentifier, 'URI'],
  [GENERAL_NAME.directoryName, 'directory name'],
  [GENERAL_NAME.otherName, 'otherName'],
  [GENERAL_NAME.x400Address, 'X.400 address'],
  [GENERAL_NAME.ediPartyName, 'EDI party name'],
  [GENERAL_NAME.registeredId, 'registered ID'],
]);

const SMTP_UTF8_MAILBOX = kindOf(GENERAL_NAME.otherName, Buffer.from('06082b06010505070809', 'hex'));
const IA5_STRING = 0x16;

/** All names, the subject first. */
export function constrainedNames({ subject, subjectAltName }: Named): readonly ConstrainedName[] {
  const read = subjectAltName && readGeneralNames(subjectAltName);
  const altNames = read?.ok ? read.value : [];
  const whole = readWhole(subject);
  const rdns = whole.ok ? readRdns(whole.value.value) : [];
  const attributes = rdns.flat();
  const hasDnsName = altNames.some(({ tag }) => tag === GENERAL_NAME.dnsName);
  return [
    ...(attributes.length === 0 ? [] : [directoryName(rdns, 'subject')]),
    ...attributes.filter(({ oid }) => oid === ATTRIBUTE.emailAddress).map(emailInSubject),
    ...(hasDnsName ? [] : attributes.filter(({ oid }) => oid === ATTRIBUTE.commonName).flatMap(commonName)),
    ...altNames.map(altName),
  ];
}

const NOTHING_MORE = { rdns: [], isSeenByGo: false, isUnreadable: false } as const;

function directoryName(rdns: readonly Rdn[], label: string): ConstrainedName {
  const { directoryName: tag } = GENERAL_NAME;
  const value = Buffer.alloc(0);
  const shown = formatName(rdns);
  return { ...NOTHING_MORE, kind: `${tag}`, tag, value, text: '', rdns: comparableRdns(rdns), label, shown };
}

/**
 * RFC 5280 section 4.2.1.10 requires this only without a subjectAltName; OpenSSL always does it, and reads
 * only IA5Strings.
 */
function emailInSubject({ tag: type, value, text }: Attribute): ConstrainedName {
  const { rfc822Name: tag } = GENERAL_NAME;
  const label = 'email address in the subject';
  return { ...NOTHING_MORE, kind: `${tag}`, tag, value, text, label, shown: text, isUnreadable: type !== IA5_STRING };
}

/**
 * Without a DNS name in the subjectAltName, OpenSSL and many of its users treat a common name that looks like a DNS
 * name as one.
 */
function commonName({ text }: Attribute): readonly ConstrainedName[] {
  const host = text.replace(/\0+$/, '');
  const isUnreadable = host.includes('\0');
  if (!isUnreadable && !isHostLike(host)) return [];
  const { dnsName: tag } = GENERAL_NAME;
  const label = 'common name (treated as a DNS name because the subjectAltName has none)';
  return [
    { ...NOTHING_MORE, kind: `${tag}`, tag, value: Buffer.from(host), text: host, label, shown: host, isUnreadable },
  ];
}

function altName({ tag, value }: Tlv): ConstrainedName {
  const label = LABELS.get(tag) ?? 'name';
  if (tag === GENERAL_NAME.directoryName) return directoryName(readRdns(nameIn(value)), label);
  const kind = kindOf(tag, value);
  const isMailbox = kind === SMTP_UTF8_MAILBOX;
  const text = value.toString('latin1');
  return {
    kind: isMailbox ? `${GENERAL_NAME.rfc822Name}` : kind,
    tag,
    value,
    text,
    rdns: [],
    label: isMailbox ? 'international email address' : label,
    shown: tag === GENERAL_NAME.ipAddress ? formatAddress(value) : KNOWN_TO_GO.has(tag) ? text : value.toString('hex'),
    isSeenByGo: KNOWN_TO_GO.has(tag),
    isUnreadable: false,
  };
}

export function formatAddress(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.');
  const groups = octets.toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
