// Builds name constraints, the names to check against them, and CA certificates that contain them, from short texts.

import { isIP } from 'node:net';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import type { Extension } from '@countersign/common/x509/extension.ts';
import {
  type ConstrainedCa,
  parseNameConstraints,
} from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { nameOf } from './certificate-builder.ts';
import { valueOf } from './pki.ts';

const TAGS: Readonly<Record<string, number>> = {
  DNS: GENERAL_NAME.dnsName,
  email: GENERAL_NAME.rfc822Name,
  URI: GENERAL_NAME.uniformResourceIdentifier,
  IP: GENERAL_NAME.ipAddress,
  dir: GENERAL_NAME.directoryName,
  other: GENERAL_NAME.otherName,
};

const ATTRIBUTES: Readonly<Record<string, readonly [oid: string, tag: number]>> = {
  CN: ['2.5.4.3', 0x0c],
  O: ['2.5.4.10', 0x13],
  OU: ['2.5.4.11', 0x0c],
  emailAddress: ['1.2.840.113549.1.9.1', 0x16],
  emailAddressUtf8: ['1.2.840.113549.1.9.1', 0x0c],
};

/** The DER of a Name: `O=Example,CN=Jane`. */
export function nameFrom(text: string): Buffer {
  const rdns = text === '' ? [] : text.split(',').map(part => part.split('='));
  return sequence(
    ...rdns.map(([type = '', value = '']) => {
      const [oid, tag] = ATTRIBUTES[type] ?? ['', 0];
      return tlv(TAG.set, sequence(encodeOid(oid), tlv(tag, Buffer.from(value))));
    }),
  );
}

/** One GeneralName: `DNS:a.example`, `IP:10.0.0.0/8`, `dir:O=Example`, `other:1.2.3`. */
function generalName(text: string): Buffer {
  const [kind = ''] = text.split(':', 1);
  const value = text.slice(kind.length + 1);
  return tlv(TAGS[kind] ?? 0, contentOf(kind, value));
}

function contentOf(kind: string, value: string): Buffer {
  if (kind === 'IP') return networkOf(value);
  if (kind === 'dir') return nameFrom(value);
  if (kind === 'other') return Buffer.concat([encodeOid(value), tlv(0xa0, tlv(0x0c, Buffer.from('x')))]);
  return Buffer.from(value);
}

function networkOf(text: string): Buffer {
  const [address = '', bits] = text.split('/');
  const octets = isIP(address) === 4 ? address.split('.').map(Number) : [...expandIpv6(address)];
  const length = Number(bits);
  const mask =
    bits === undefined ? [] : octets.map((_, at) => (0xff00 >> Math.min(Math.max(length - at * 8, 0), 8)) & 0xff);
  return Buffer.from([...octets, ...mask]);
}

function expandIpv6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::').map(part =>
    part
      .split(':')
      .filter(Boolean)
      .map(group => group.padStart(4, '0'))
      .join(''),
  );
  return Buffer.from(head + '0'.repeat(32 - head.length - tail.length) + tail, 'hex');
}

export interface Constraints {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  /** Set in each subtree, although RFC 5280 forbids it. */
  readonly maximum?: number;
}

/** The value of the extension. */
export function constraintsOf({ permitted = [], excluded = [], maximum }: Constraints): Buffer {
  const distance = maximum === undefined ? [] : [tlv(0x81, Buffer.of(maximum))];
  const list = (tag: number, names: readonly string[]) =>
    names.length === 0 ? [] : [tlv(tag, ...names.map(name => sequence(generalName(name), ...distance)))];
  return sequence(...list(0xa0, permitted), ...list(0xa1, excluded));
}

export function constraintsExtension(constraints: Constraints): Extension {
  return { oid: EXTENSION.nameConstraints, critical: true, value: constraintsOf(constraints) };
}

export function constrainedCa(name: string, constraints: Constraints): ConstrainedCa {
  return {
    subject: nameOf(name).subarray(2),
    constraints: valueOf(parseNameConstraints(constraintsExtension(constraints))),
  };
}

/** A subjectAltName as in a request. */
export function altNames(...names: readonly string[]): Extension {
  return { oid: EXTENSION.subjectAltName, critical: false, value: sequence(...names.map(generalName)) };
}
