// Writes Names and GeneralNames as text that cannot be mistaken for another name: separators inside a value are escaped
// (RFC 4514 section 2.4). The result still has to be made safe for a terminal. Pure.

import { decodeOid, readChildren, readWhole, TAG, type Tlv } from '@countersign/common/x509/der.ts';
import { formatAddress } from '@countersign/common/x509/name-constraints/constrained-names.ts';
import { type Attribute, formatName, readRdns } from '@countersign/common/x509/name-constraints/directory-name.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

export interface NameText {
  /** `DNS name`, `IP address` and so on. */
  readonly type: string;
  readonly value: string;
}

const TYPES: ReadonlyMap<number, string> = new Map<number, string>([
  [GENERAL_NAME.dnsName, 'DNS name'],
  [GENERAL_NAME.ipAddress, 'IP address'],
  [GENERAL_NAME.uniformResourceIdentifier, 'URI'],
  [GENERAL_NAME.rfc822Name, 'email address'],
  [GENERAL_NAME.directoryName, 'directory name'],
  [GENERAL_NAME.otherName, 'other name'],
  [GENERAL_NAME.registeredId, 'registered ID'],
  [GENERAL_NAME.x400Address, 'X.400 address'],
  [GENERAL_NAME.ediPartyName, 'EDI party name'],
]);

/** The usual types of other names: user principal name, SRV name (RFC 4985), international email address (RFC 9598). */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['1.3.6.1.4.1.311.20.2.3', 'UPN'],
  ['1.3.6.1.5.5.7.8.7', 'SRV'],
  ['1.3.6.1.5.5.7.8.9', 'SmtpUTF8Mailbox'],
  ['1.3.6.1.5.2.2', 'Kerberos principal'],
]);

/** `CN=app,O=team`; empty for an empty Name. `der` is the Name. */
export function subjectText(der: Buffer): string {
  const whole = readWhole(der);
  return whole.ok ? nameText(whole.value.value) : '';
}

function nameText(content: Buffer): string {
  const rdns = readRdns(content).map(rdn => rdn.map(attribute => formatName([[escapeValue(attribute)]])));
  return rdns.map(rdn => rdn.join('+')).join(',');
}

function escapeValue(attribute: Attribute): Attribute {
  const text = attribute.text
    .replace(/[,+"\\<>;=]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
  return { ...attribute, text };
}

/** The names of a subjectAltName extension, in order. */
export function generalNameTexts(value: Buffer): readonly NameText[] {
  const names = readGeneralNames(value);
  return names.ok ? names.value.map(generalNameText) : [];
}

function generalNameText(name: Tlv): NameText {
  return { type: TYPES.get(name.tag) ?? 'unknown name', value: valueText(name) };
}

function valueText({ tag, value }: Tlv): string {
  switch (tag) {
    case GENERAL_NAME.dnsName:
    case GENERAL_NAME.rfc822Name:
    case GENERAL_NAME.uniformResourceIdentifier:
      return value.toString('latin1');
    case GENERAL_NAME.ipAddress:
      return formatAddress(value);
    case GENERAL_NAME.directoryName:
      return directoryText(value);
    case GENERAL_NAME.otherName:
      return otherNameText(value);
    case GENERAL_NAME.registeredId:
      return oidText(value);
    default:
      return hexText(value);
  }
}

/** A directoryName holds one Name (the choice makes its tag explicit). */
function directoryText(value: Buffer): string {
  const whole = readWhole(value);
  return whole.ok ? nameText(whole.value.value) : hexText(value);
}

/** RFC 5280 section 4.2.1.6: a type and, in [0] EXPLICIT, a value; shown as text if it is a string. */
function otherNameText(value: Buffer): string {
  const parts = readChildren({ value });
  const [type, explicit] = parts.ok ? parts.value : [];
  if (type?.tag !== TAG.oid || explicit === undefined) return hexText(value);
  const oid = oidText(type.value);
  const known = OTHER_NAMES.get(oid);
  return `${known === undefined ? oid : `${known} (${oid})`}: ${stringText(explicit.value)}`;
}

const STRINGS: ReadonlySet<number> = new Set([0x0c, 0x13, 0x16, 0x1a]);

function stringText(content: Buffer): string {
  const whole = readWhole(content);
  return whole.ok && STRINGS.has(whole.value.tag) ? whole.value.value.toString('utf8') : hexText(content);
}

function oidText(value: Buffer): string {
  const oid = decodeOid(value);
  return oid.ok ? oid.value : hexText(value);
}

function hexText(value: Buffer): string {
  return `0x${value.toString('hex')}`;
}
