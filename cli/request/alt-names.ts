// Builds the DER of a subjectAltName extension (RFC 5280 section 4.2.1.6) from names as text. Pure.

import { isIP, isIPv4 } from 'node:net';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { sequence, tlv } from '@countersign/common/x509/der.ts';
import { GENERAL_NAME, readGeneralNames } from '@countersign/common/x509/subject-alt-name.ts';

export interface AltNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

/** Undefined without names. The error names the first name that cannot be in a certificate. */
export function encodeAltNames({ dns, ip, uri, email }: AltNames): Result<Buffer | undefined> {
  const wrong = ip.find(address => isIP(address) === 0 || address.includes('%'));
  if (wrong !== undefined) return err(`"${wrong}" is not an IP address`);
  const names = [
    ...dns.map(name => tlv(GENERAL_NAME.dnsName, Buffer.from(name))),
    ...ip.map(address => tlv(GENERAL_NAME.ipAddress, addressOctets(address))),
    ...uri.map(name => tlv(GENERAL_NAME.uniformResourceIdentifier, Buffer.from(name))),
    ...email.map(name => tlv(GENERAL_NAME.rfc822Name, Buffer.from(name))),
  ];
  if (names.length === 0) return ok(undefined);
  const value = sequence(...names);
  const read = readGeneralNames(value);
  return read.ok ? ok(value) : err(read.error);
}

/** For a valid address. */
function addressOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes the address in its shortest form, an embedded IPv4 address included.
  const shortest = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = shortest.split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return Buffer.from(groups.map(group => group.padStart(4, '0')).join(''), 'hex');
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}
