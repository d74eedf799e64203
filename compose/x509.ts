// Makes the certificates of the compose stack (ECDSA P-256): its authorities, what they sign, and a PKCS#10 request. Plain Node
// and this repository's DER writer, so that it runs without an npm package; never used in a cluster.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  contextTag,
  encodeBitString,
  encodeBoolean,
  encodeInteger,
  encodeNamedBits,
  encodeOctetString,
  encodeOid,
  sequence,
  TAG,
  tlv,
} from '../services/common/der.ts';
import { encodeTime } from '../services/common/der-time.ts';
import { encodeExtension } from '../services/common/extension.ts';
import { EXTENSION, EXTENSION_REQUEST, SIGNATURE } from '../services/common/oids.ts';
import { formatPem } from '../services/common/pem.ts';
import { GENERAL_NAME } from '../services/common/subject-alt-name.ts';

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A user as a client certificate tells it to the API server: common name and organisations. */
export interface User {
  readonly name: string;
  readonly groups?: readonly string[];
}

const LIFETIME_MS = 365 * 86_400_000;
/** The clock of the containers' virtual machine may be a little ahead. */
const BACKDATE_MS = 5 * 60_000;

const ATTRIBUTE = { commonName: '2.5.4.3', organization: '2.5.4.10' };
const UTF8_STRING = 0x0c;
// Bits of KeyUsage (RFC 5280 4.2.1.3): keyCertSign and cRLSign; digitalSignature.
const CA_USAGE = (1 << 5) | (1 << 6);
const LEAF_USAGE = 1 << 0;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ALGORITHM = sequence(encodeOid(SIGNATURE.ecdsaSha256));

export function createKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

export function createAuthority(commonName: string): KeyPair {
  const key = createKey();
  const extensions = [
    extension(EXTENSION.basicConstraints, sequence(encodeBoolean(true)), true),
    extension(EXTENSION.keyUsage, encodeNamedBits(CA_USAGE), true),
    extension(EXTENSION.subjectKeyIdentifier, encodeOctetString(keyIdentifier(createPublicKey(key)))),
  ];
  const name = encodeName({ name: commonName });
  return { cert: certificate({ issuer: name, issuerKey: key, subject: name, key, extensions }), key: exportKey(key) };
}

/** For these DNS names and IPv4 addresses. Can be shown as a client, too: etcd calls itself with it. */
export function issueServing(authority: KeyPair, names: readonly string[]): KeyPair {
  const subjectAltName = extension(EXTENSION.subjectAltName, sequence(...names.map(generalName)));
  return issue(authority, { name: names[0] ?? '' }, [extendedUsage(SERVER_AUTH, CLIENT_AUTH), subjectAltName]);
}

export function issueClient(authority: KeyPair, user: User): KeyPair {
  return issue(authority, user, [extendedUsage(CLIENT_AUTH)]);
}

/** PEM of a request for one DNS name, signed by its own key. */
export function createRequest(key: KeyObject, dnsName: string): string {
  const names = encodeExtension({
    oid: EXTENSION.subjectAltName,
    critical: false,
    value: sequence(generalName(dnsName)),
  });
  const attribute = sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, sequence(names)));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const attributes = tlv(contextTag(0, 'constructed'), attribute);
  const information = sequence(encodeInteger(Buffer.of(0)), encodeName({ name: dnsName }), publicKey, attributes);
  return formatPem('CERTIFICATE REQUEST', signed(information, key));
}

/** The name of an authority that was made here: it has a common name and nothing else. */
function authorityName({ subject }: X509Certificate): Buffer {
  return encodeName({ name: subject.replace(/^CN=/, '') });
}

function issue(authority: KeyPair, subject: User, purpose: readonly Buffer[]): KeyPair {
  const issuer = new X509Certificate(authority.cert);
  const key = createKey();
  const authorityKey = tlv(contextTag(0, 'primitive'), keyIdentifier(issuer.publicKey));
  const extensions = [
    extension(EXTENSION.keyUsage, encodeNamedBits(LEAF_USAGE), true),
    extension(EXTENSION.authorityKeyIdentifier, sequence(authorityKey)),
    ...purpose,
  ];
  const parts = { issuer: authorityName(issuer), issuerKey: createPrivateKey(authority.key) };
  return { cert: certificate({ ...parts, subject: encodeName(subject), key, extensions }), key: exportKey(key) };
}

interface CertificateParts {
  readonly issuer: Buffer;
  readonly issuerKey: KeyObject;
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificate({ issuer, issuerKey, subject, key, extensions }: CertificateParts): string {
  const now = Date.now();
  const body = sequence(
    tlv(contextTag(0, 'constructed'), encodeInteger(Buffer.of(2))), // Version 3.
    encodeInteger(randomBytes(16)),
    ALGORITHM,
    issuer,
    sequence(encodeTime(new Date(now - BACKDATE_MS)), encodeTime(new Date(now + LIFETIME_MS))),
    subject,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tlv(contextTag(3, 'constructed'), sequence(...extensions)),
  );
  return formatPem('CERTIFICATE', signed(body, issuerKey));
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sequence(body, ALGORITHM, encodeBitString(sign('sha256', body, key)));
}

function encodeName({ name, groups = [] }: User): Buffer {
  const relative = (oid: string, value: string) =>
    tlv(TAG.set, sequence(encodeOid(oid), tlv(UTF8_STRING, Buffer.from(value))));
  const organizations = groups.map(group => relative(ATTRIBUTE.organization, group));
  return sequence(...organizations, relative(ATTRIBUTE.commonName, name));
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return tlv(GENERAL_NAME.ipAddress, Buffer.from(name.split('.').map(Number)));
  return tlv(GENERAL_NAME.dnsName, Buffer.from(name));
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return encodeExtension({ oid, critical, value });
}

function extendedUsage(...oids: string[]): Buffer {
  return extension(EXTENSION.extKeyUsage, sequence(...oids.map(encodeOid)));
}

/** 160 bits of SHA-256 (RFC 7093 section 2), here over the whole SubjectPublicKeyInfo. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const encoded = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(encoded).digest().subarray(0, 20);
}
