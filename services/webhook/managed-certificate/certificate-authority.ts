// Creates the webhook's CAs and serving certificates (ECDSA P-256). Only for the webhook's own HTTPS server; never
// signs certificates for others.

import 'reflect-metadata';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import * as x509 from '@peculiar/x509';
import type { KeyPair } from '../serving/serving-certificate.ts';
import { hasIssuerName } from './ca-shape.ts';
import type { CertificateAuthority } from './own-authority.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { ...CURVE, hash: 'SHA-256' };

/** Allows for API servers whose clock is slow. */
const BACKDATE_MS = 5 * 60_000;

export interface Lifetime {
  readonly now: Date;
  /** Milliseconds from `now` to notAfter. */
  readonly lifetimeMs: number;
}

export async function createAuthority(lifetime: Lifetime): Promise<CertificateAuthority> {
  const key = await generateKey();
  const { KeyUsageFlags, BasicConstraintsExtension, KeyUsagesExtension, SubjectKeyIdentifierExtension } = x509;
  const publicKey = toCryptoKey(createPublicKey(key), 'verify');
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...commonParts(`CN=countersign-webhook-ca`, lifetime),
    keys: { privateKey: toCryptoKey(key, 'sign'), publicKey },
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certPem: toPem(certificate), keyPem: exportKey(key) };
}

/**
 * Issues a serving certificate for these DNS names and IP addresses, which expires no later than its CA. Throws if an
 * API server would not trust it.
 */
export async function issueServingCertificate(
  authority: CertificateAuthority,
  names: readonly string[],
  { now, lifetimeMs }: Lifetime,
): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certPem);
  const key = await generateKey();
  const certificate = await x509.X509CertificateGenerator.create({
    ...commonParts('CN=countersign-webhook', {
      now,
      lifetimeMs: Math.min(lifetimeMs, issuer.notAfter.getTime() - now.getTime()),
    }),
    issuer: issuer.subjectName,
    publicKey: toCryptoKey(createPublicKey(key), 'verify'),
    signingKey: toCryptoKey(createPrivateKey(authority.keyPem), 'sign'),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await authorityKeyIdentifier(issuer),
      new x509.SubjectAlternativeNameExtension(
        names.map(value => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
    ],
  });
  const cert = toPem(certificate);
  checkIssued(cert, authority.certPem);
  return { cert, key: exportKey(key) };
}

/**
 * Uses the CA's own key identifier, which is not always the SHA-1 hash that AuthorityKeyIdentifierExtension computes.
 */
async function authorityKeyIdentifier(issuer: x509.X509Certificate): Promise<x509.Extension> {
  const own = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  if (own === null) return x509.AuthorityKeyIdentifierExtension.create(issuer);
  return new x509.AuthorityKeyIdentifierExtension(own.keyId);
}

function checkIssued(certPem: string, caPem: string): void {
  const [certificate, ca] = [new X509Certificate(certPem), new X509Certificate(caPem)];
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey))
    throw new Error('its signature cannot be verified');
  if (!hasIssuerName(certificate.raw, ca.raw)) throw new Error('the subject of its CA is not DER-encoded');
}

function commonParts(subject: string, { now, lifetimeMs }: Lifetime) {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // Positive, without a leading zero octet: RFC 5280 4.1.2.2.
  return {
    serialNumber: serial.toString('hex'),
    subject,
    name: subject,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + lifetimeMs),
    signingAlgorithm: SIGNING,
  };
}

async function generateKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('ec', { namedCurve: CURVE.namedCurve })).privateKey;
}

function toCryptoKey(key: KeyObject, usage: 'sign' | 'verify') {
  return key.toCryptoKey(CURVE, true, [usage]);
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
