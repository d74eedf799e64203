// Every name that the certificate will have, by the field of `allowed` that speaks of it: all attributes of all RDNs of
// the subject, all names of the subjectAltName. What no field can speak of is unreadable, and never allowed. Pure;
// judges nothing.

import { readChildren, readWhole, type Tlv } from '../../x509/der.ts';
import { checkName } from '../../x509/distinguished-name.ts';
import { formatAddress } from '../../x509/name-constraints/constrained-names.ts';
import { type Attribute, formatName, readRdns } from '../../x509/name-constraints/directory-name.ts';
import { GENERAL_NAME, readGeneralNames } from '../../x509/subject-alt-name.ts';
import { readOtherName } from './other-name.ts';

export interface JudgedName {
  /** The field below `spec.allowed`, such as `dnsNames` or `otherNames[1.3.6.1.4.1.311.20.2.3]`. */
  readonly field: string;
  readonly value: string;
  /** Why no policy can allow it. */
  readonly unreadable?: string;
}

/** The attributes with a field of their own (RFC 4519); all others are otherAttributes. */
const SUBJECT_FIELDS: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'commonName'],
  ['2.5.4.5', 'subject.serialNumber'],
  ['2.5.4.6', 'subject.countries'],
  ['2.5.4.7', 'subject.localities'],
  ['2.5.4.8', 'subject.provinces'],
  ['2.5.4.9', 'subject.streetAddresses'],
  ['2.5.4.10', 'subject.organizations'],
  ['2.5.4.11', 'subject.organizationalUnits'],
  ['2.5.4.17', 'subject.postalCodes'],
]);

const ALT_NAME_FIELDS: ReadonlyMap<number, string> = new Map<number, string>([
  [GENERAL_NAME.dnsName, 'dnsNames'],
  [GENERAL_NAME.rfc822Name, 'emailAddresses'],
  [GENERAL_NAME.uniformResourceIdentifier, 'uris'],
  [GENERAL_NAME.ipAddress, 'ipAddresses'],
]);

const UNSUPPORTED: ReadonlyMap<number, string> = new Map<number, string>([
  [GENERAL_NAME.x400Address, 'x400Address'],
  [GENERAL_NAME.directoryName, 'directoryName'],
  [GENERAL_NAME.ediPartyName, 'ediPartyName'],
  [GENERAL_NAME.registeredId, 'registeredID'],
]);

/** T61String has no agreed meaning beyond ASCII: two readers may see two texts. */
const T61_STRING = 0x14;
/** Also those that reverse or hide text (Unicode category Cf). */
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

/** The names of the subject first. `subject` is the DER of the Name, `subjectAltName` the value of the extension. */
export function judgedNames(subject: Buffer, subjectAltName: Buffer | undefined): readonly JudgedName[] {
  return [...subjectNames(subject), ...(subjectAltName === undefined ? [] : altNames(subjectAltName))].map(readable);
}

function subjectNames(subject: Buffer): readonly JudgedName[] {
  const whole = readWhole(subject);
  const checked = whole.ok ? checkName(whole.value) : whole;
  if (!whole.ok || !checked.ok) return [unreadable('subject', subject.toString('hex'), 'a readable Name')];
  return readRdns(whole.value.value).flat().map(attributeName);
}

function attributeName({ oid, tag, value, text }: Attribute): JudgedName {
  const field = SUBJECT_FIELDS.get(oid) ?? `subject.otherAttributes[${oid}]`;
  const isAmbiguous = tag === T61_STRING && value.some(octet => octet > 0x7f);
  return isAmbiguous ? unreadable(field, text, 'a UTF8String instead of a T61String') : { field, value: text };
}

function altNames(value: Buffer): readonly JudgedName[] {
  const names = readGeneralNames(value);
  if (!names.ok) return [unreadable('subjectAltName', value.toString('hex'), 'a readable subjectAltName')];
  return names.value.map(altName);
}

function altName(name: Tlv): JudgedName {
  const { tag, value } = name;
  if (tag === GENERAL_NAME.otherName) return otherName(name);
  const field = ALT_NAME_FIELDS.get(tag);
  const shown = tag === GENERAL_NAME.ipAddress ? formatAddress(value) : value.toString('latin1');
  if (field !== undefined) return { field, value: shown };
  const kind = UNSUPPORTED.get(tag) ?? `name with tag ${tag}`;
  return unreadable(kind, showUnsupported(name), `no ${kind}: no policy can allow one`);
}

function otherName(name: Tlv): JudgedName {
  const read = readOtherName(name);
  const { oid, text } = read;
  if (text === undefined) return unreadable(`otherNames[${oid}]`, name.value.toString('hex'), 'a value that is text');
  return { field: `otherNames[${oid}]`, value: text };
}

function showUnsupported({ tag, value }: Tlv): string {
  if (tag !== GENERAL_NAME.directoryName) return value.toString('hex');
  const inner = readChildren({ value });
  const [content] = inner.ok ? inner.value : [];
  return content === undefined ? value.toString('hex') : formatName(readRdns(content.value));
}

/** A terminal, or a reader that stops at a NUL, would see another name than the one that is judged. */
function readable(name: JudgedName): JudgedName {
  if (name.unreadable !== undefined || !CONTROL.test(name.value)) return name;
  return unreadable(name.field, JSON.stringify(name.value), 'no control or format characters');
}

function unreadable(field: string, value: string, why: string): JudgedName {
  return { field, value, unreadable: why };
}
