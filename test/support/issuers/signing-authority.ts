// A CA that signs PKCS#10 requests, for the remotes of issuers in tests. Uses no code of the services.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface SigningAuthority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { ...CURVE, hash: 'SHA-256' };
const SUBJECT_ALT_NAME = '2.5.29.17';
const HOUR_MS = 3_600_000;

export async function createSigningAuthority(commonName: string): Promise<SigningAuthority> {
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${commonName}`,
    ...validity(24 * HOUR_MS),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return { certificate, keys };
}

/** The chain in PEM, leaf first, with the names of the request and a lifetime of an hour, whatever was asked for. */
export async function signRequest({ certificate, keys }: SigningAuthority, pem: string): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  const names = request.getExtension(SUBJECT_ALT_NAME);
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
      .toString('hex')
      .replace(/^./, '4'),
    subject: request.subjectName,
    issuer: certificate.subjectName,
    ...validity(HOUR_MS),
    signingAlgorithm: SIGNING,
    publicKey: request.publicKey,
    signingKey: keys.privateKey,
    extensions: [new x509.BasicConstraintsExtension(false), ...(names ? [names] : [])],
  });
  return [leaf, certificate].map(each => `${each.toString('pem')}\n`).join('');
}

function validity(lastsMs: number) {
  return { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + lastsMs) };
}
