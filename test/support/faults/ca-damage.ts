// Ways to damage the Secret of the webhook's CA, each with the expected log message. Writes nothing.

import { encodeBoolean, sequence, TAG, tlv } from '@countersign/common/x509/der.ts';
import { encodeNamedBits } from '@countersign/common/x509/named-bits.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { buildCertificate, type CertificateParts, createHolder, type Holder, nameOf } from '../certificate-builder.ts';

export type SecretData = Readonly<Record<string, string>>;

export interface CaDamage {
  /** Completes "the Secret …". */
  readonly name: string;
  /** Returns the new Secret, or undefined to delete it. `now` is the current one. */
  readonly secret: (now: SecretData) => { readonly data: SecretData; readonly [field: string]: unknown } | undefined;
  /** Expected in a line of a replica's log. */
  readonly message: RegExp;
  /** Whether the replicas need an administrator to agree on a Secret again. */
  readonly needsHelp?: boolean;
}

const HOLDER = createHolder('by hand');
const KEY_USAGE = { oid: EXTENSION.keyUsage, critical: true, value: encodeNamedBits(1 << 5) };
const CONSTRAINTS = { oid: EXTENSION.nameConstraints, critical: true, value: sequence(tlv(0xa0, sequence(tlv(0x82)))) };

const base64 = (text: string) => Buffer.from(text).toString('base64');
const GARBAGE = { 'ca.crt': base64('garbage'), 'ca.key': base64('garbage') };

function authority(parts: CertificateParts = {}, holder: Holder = HOLDER): SecretData {
  const { extensions = [] } = parts;
  const cert = buildCertificate(HOLDER, HOLDER, { ...parts, extensions: [KEY_USAGE, ...extensions] });
  const key = holder.privateKey.export({ format: 'pem', type: 'pkcs8' });
  return { 'ca.crt': base64(cert), 'ca.key': base64(key) };
}

/** The first octet of the public key announces an invalid point format. */
function withBrokenKey({ 'ca.crt': text = '', ...rest }: SecretData): SecretData {
  const pem = Buffer.from(text, 'base64').toString();
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const point = der.indexOf(Buffer.of(TAG.bitString, 0x42, 0, 4));
  der[point + 3] = 9;
  return { ...rest, 'ca.crt': base64(formatPem('CERTIFICATE', der)) };
}

export const CA_DAMAGES: readonly CaDamage[] = [
  {
    name: 'has a public key that cannot be decoded',
    secret: now => ({ data: withBrokenKey(now) }),
    message: /it has no readable certificate/,
  },
  { name: 'is emptied', secret: () => ({ data: {} }), message: /webhook CA created/ },
  {
    name: 'has the key of another CA',
    secret: now => ({ data: { ...now, 'ca.key': authority()['ca.key'] ?? '' } }),
    message: /its private key does not match its CA certificate/,
  },
  { name: 'holds garbage', secret: () => ({ data: GARBAGE }), message: /it has no readable certificate/ },
  {
    name: 'is immutable and holds garbage',
    secret: () => ({ data: GARBAGE, immutable: true }),
    message: /cannot be updated .*\(it is immutable\): delete it .*kubectl delete secret/,
    needsHelp: true,
  },
  { name: 'has a CA put there by hand', secret: () => ({ data: authority() }), message: /former webhook CAs kept/ },
  {
    name: 'has a CA that is not valid yet',
    secret: () => ({ data: authority({ begins: '450101000000Z' }) }),
    message: /its CA is not valid yet/,
  },
  {
    name: 'has a CA with name constraints',
    secret: () => ({ data: authority({ extensions: [CONSTRAINTS] }) }),
    message: /its CA certificate has missing, malformed or unexpected extensions/,
  },
  {
    name: 'has a CA that expired',
    secret: () => ({ data: authority({ ends: '260102000000Z' }) }),
    message: /its CA expired/,
  },
  {
    name: 'has a leaf for a CA',
    secret: () => ({ data: authority({ basicConstraints: sequence(encodeBoolean(false)) }) }),
    message: /its certificate is not a CA certificate/,
  },
  {
    name: 'has a CA whose subject the API server cannot read',
    secret: () => ({ data: authority({ subject: nameOf('a@b', 0x13), issuer: nameOf('a@b', 0x13) }) }),
    message: /its CA certificate has a malformed subject/,
  },
  {
    name: 'is of another type',
    secret: () => ({ data: { 'tls.crt': '', 'tls.key': '' }, type: 'kubernetes.io/tls' }),
    message: /cannot be updated .*data\[tls\.crt\].*kubectl delete secret/,
    needsHelp: true,
  },
  { name: 'is deleted', secret: () => undefined, message: /does not exist; .*helm upgrade/, needsHelp: true },
];
