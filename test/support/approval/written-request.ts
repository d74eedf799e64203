// Requests for tests of approval policies, written as data: subject, names, usages and key in, a CSR as the API server
// stores it out. Encodes also what no tool would write, such as a second common name.

import { isIPv4 } from 'node:net';
import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest, Requester } from '@countersign/common/csr.ts';
import { encodeOid, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import { buildCsr, buildRequest } from '../csr-builder.ts';
import { readPki } from '../pki.ts';

/** `CN=a.example` or `1.2.3.4=text`; several in one item share an RDN, with `+` between them. */
type WrittenRdn = string;

/**
 * `dns:a.example`, `ip:10.0.0.1`, `uri:`, `email:`, `upn:`, `other:<hex of the value>`, `directory:CN=x`, `rid:1.2.3`,
 * `x400:`, `edi:`.
 */
type WrittenName = string;

export interface WrittenRequest {
  readonly subject?: readonly WrittenRdn[];
  readonly names?: readonly WrittenName[];
  /** Defaults to none, which means digital signature and key encipherment. */
  readonly usages?: readonly string[];
  readonly isCA?: boolean;
  readonly duration?: string;
  /** The annotation private-key-secret-name. */
  readonly keySecret?: string;
  /** A file in test/vectors/pki/keys. */
  readonly key?: string;
  readonly signerName?: string;
  readonly requester?: Requester;
  /** Hex of the values of more extensions, by object identifier. */
  readonly extensions?: Readonly<Record<string, string>>;
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  postalCode: '2.5.4.17',
  emailAddress: '1.2.840.113549.1.9.1',
  DC: '0.9.2342.19200300.100.1.25',
};

const STRING_TAGS: Readonly<Record<string, number>> = { utf8: 0x0c, printable: 0x13, t61: 0x14, ia5: 0x16, bmp: 0x1e };
const UPN = '1.3.6.1.4.1.311.20.2.3';

export const TEAM_ACCOUNT: Requester = {
  username: 'system:serviceaccount:team-a:web',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated'],
};

export function writtenCsr(written: WrittenRequest = {}, name = 'web-1'): CertificateSigningRequest {
  const {
    signerName = 'issuers.cert-manager.io/team-a.ca',
    requester = TEAM_ACCOUNT,
    usages,
    isCA,
    duration,
    keySecret,
  } = written;
  const annotations = {
    ...(isCA && { [REQUEST_IS_CA]: 'true' }),
    ...(duration !== undefined && { [REQUEST_DURATION]: duration }),
    ...(keySecret !== undefined && { [PRIVATE_KEY_SECRET_NAME]: keySecret }),
  };
  const { metadata, spec } = buildCsr({ name, signerName, request: pkcs10Of(written), annotations });
  return {
    metadata,
    spec: { signerName: spec.signerName, request: spec.request, ...(usages && { usages }), ...requester },
  };
}

/** In base64, as in spec.request. */
export function pkcs10Of({ subject = [], names = [], key = 'p256', extensions = {} }: WrittenRequest): string {
  const asked = Object.entries(extensions).map(([oid, hex]) => ({ oid, value: Buffer.from(hex, 'hex') }));
  const altName = { oid: EXTENSION.subjectAltName, value: sequence(...names.map(encodeName)) };
  return buildRequest(
    [...asked, ...(names.length > 0 ? [altName] : [])],
    readPki(`keys/${key}`),
    encodeSubject(subject),
  );
}

function encodeSubject(rdns: readonly WrittenRdn[]): Buffer {
  return sequence(...rdns.map(rdn => tlv(TAG.set, ...rdn.split('+').map(encodeAttribute))));
}

/** `CN(t61)=x` chooses the string type. */
function encodeAttribute(text: string): Buffer {
  const [, type = '', , tag = 'utf8', value = ''] = /^([\w.]+)(\((\w+)\))?=(.*)$/s.exec(text) ?? [];
  const content = tag === 'utf8' ? Buffer.from(value) : Buffer.from(value, 'latin1');
  return sequence(encodeOid(ATTRIBUTES[type] ?? type), tlv(STRING_TAGS[tag] ?? 0x0c, content));
}

function encodeName(written: WrittenName): Buffer {
  const [, kind = '', value = ''] = /^(\w+):(.*)$/s.exec(written) ?? [];
  const encode = NAMES[kind];
  if (encode === undefined) throw new Error(`unknown kind of name: ${written}`);
  return encode(value);
}

const NAMES: Readonly<Record<string, (value: string) => Buffer>> = {
  dns: value => tlv(GENERAL_NAME.dnsName, Buffer.from(value)),
  uri: value => tlv(GENERAL_NAME.uniformResourceIdentifier, Buffer.from(value)),
  email: value => tlv(GENERAL_NAME.rfc822Name, Buffer.from(value)),
  ip: value => tlv(GENERAL_NAME.ipAddress, encodeAddress(value)),
  upn: value => otherName(UPN, tlv(0x0c, Buffer.from(value))),
  other: value => otherName(UPN, Buffer.from(value, 'hex')),
  directory: value => tlv(GENERAL_NAME.directoryName, encodeSubject([value])),
  rid: value => tlv(GENERAL_NAME.registeredId, encodeOid(value).subarray(2)),
  x400: () => tlv(GENERAL_NAME.x400Address, sequence()),
  edi: () => tlv(GENERAL_NAME.ediPartyName, tlv(0xa1, tlv(0x0c, Buffer.from('x')))),
};

function otherName(oid: string, value: Buffer): Buffer {
  return tlv(GENERAL_NAME.otherName, encodeOid(oid), tlv(0xa0, value));
}

/** IPv4, or 32 hexadecimal digits. */
function encodeAddress(value: string): Buffer {
  return isIPv4(value) ? Buffer.from(value.split('.').map(Number)) : Buffer.from(value, 'hex');
}
