// A small certificate authority (ECDSA P-256) for the serving and client certificates of the control plane. For
// development and tests only; never signs for a workload.

import 'reflect-metadata';
import { createPrivateKey, generateKeyPair, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as x509 from '@peculiar/x509';

export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A user as in a client certificate: common name and organizations. */
export interface User {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Authority {
  readonly certPem: string;
  /**
   * Valid for the given names and addresses (default 127.0.0.1), and also as a client certificate because etcd peers
   * need both.
   */
  issueServing(name: string, dnsNames?: readonly string[], addresses?: readonly string[]): Promise<KeyPair>;
  issueClient(user: User): Promise<KeyPair>;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { ...CURVE, hash: 'SHA-256' };
const LIFETIME_MS = 365 * 24 * 3_600_000;
/** Tolerates small clock differences in containers and virtual machines. */
const BACKDATE_MS = 5 * 60_000;

/** Opens the authority in `certPath` and `keyPath`, or creates one if it does not exist. */
export async function openAuthority(name: string, certPath: string, keyPath: string): Promise<Authority> {
  const kept = await loadAuthority(certPath, keyPath);
  if (kept !== undefined) return kept;
  const { certPem, keyPem } = await createAuthority(name);
  await writeFile(keyPath, keyPem, { mode: 0o600 });
  await writeFile(certPath, certPem);
  return authorityOf(certPem, keyPem);
}

/** Returns undefined if one of the two files is missing. */
export async function loadAuthority(certPath: string, keyPath: string): Promise<Authority | undefined> {
  const [certPem, keyPem] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
  return certPem === undefined || keyPem === undefined ? undefined : authorityOf(certPem, keyPem);
}

/**
 * Creates a key for ServiceAccount tokens. SEC1 PEM, because Kubernetes derives the public key of an EC key only from
 * this format.
 */
export async function createSigningKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: CURVE.namedCurve });
  return privateKey.export({ type: 'sec1', format: 'pem' });
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function createAuthority(name: string): Promise<KeyPair> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...commonParts(nameOf(name)),
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: toPem(certificate), keyPem: exportKey(KeyObject.from(keys.privateKey)) };
}

function authorityOf(certPem: string, keyPem: string): Authority {
  const issuer = { certificate: new x509.X509Certificate(certPem), key: createPrivateKey(keyPem) };
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return {
    certPem,
    issueServing(name, dnsNames = [], addresses = ['127.0.0.1']) {
      const names = dnsNames.map(value => ({ type: 'dns' as const, value }));
      const ips = addresses.map(value => ({ type: 'ip' as const, value }));
      const san = new x509.SubjectAlternativeNameExtension([...names, ...ips]);
      return issue(issuer, nameOf(name), [usage(serverAuth, clientAuth), san]);
    },
    issueClient({ user, groups = [] }) {
      return issue(issuer, nameOf(user, groups), [usage(clientAuth)]);
    },
  };
}

interface Issuer {
  readonly certificate: x509.X509Certificate;
  readonly key: KeyObject;
}

async function issue(issuer: Issuer, subject: x509.Name, extensions: x509.Extension[]): Promise<KeyPair> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...commonParts(subject),
    issuer: issuer.certificate.subjectName,
    publicKey: keys.publicKey,
    signingKey: issuer.key.toCryptoKey(CURVE, false, ['sign']),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate),
      ...extensions,
    ],
  });
  return { certPem: toPem(certificate), keyPem: exportKey(KeyObject.from(keys.privateKey)) };
}

function commonParts(name: x509.Name) {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // Positive, and without a leading zero byte: RFC 5280 4.1.2.2.
  const now = Date.now();
  return {
    serialNumber: serial.toString('hex'),
    name,
    subject: name,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + LIFETIME_MS),
    signingAlgorithm: SIGNING,
  };
}

/** Uses objects as values, because the library parses a plain string that starts with # as hexadecimal DER. */
function nameOf(commonName: string, organisations: readonly string[] = []): x509.Name {
  const groups = organisations.map(group => ({ O: [{ utf8String: group }] }));
  return new x509.Name([...groups, { CN: [{ utf8String: commonName }] }]);
}

function usage(...oids: string[]): x509.Extension {
  return new x509.ExtendedKeyUsageExtension(oids);
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
