// Signing: the result verifies (with openssl as well) and matches the profile; anything untrustworthy is not returned.

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseCertificates } from '@countersign/signer/authority/ca-certificate.ts';
import type { SigningKey } from '@countersign/signer/authority/signing-key.ts';
import { type LintedCertificate, lintCertificate } from '@countersign/signer/issuance/lint.ts';
import { prepareCertificate } from '@countersign/signer/issuance/prepare.ts';
import type { IssuerIdentity, Profile } from '@countersign/signer/issuance/profile.ts';
import { signCertificate } from '@countersign/signer/issuance/sign.ts';
import { X509Certificate } from '@peculiar/x509';
import { nameOf } from '../../../support/certificate-builder.ts';
import { errorOf, readCaCertificates, readKey, readPkiRequest, valueOf } from '../../../support/pki.ts';
import { profileFor, SERIAL } from '../../../support/profiles.ts';
import { readRequest } from '../../../support/vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-sign-'));
after(() => rmSync(folder, { recursive: true }));

function prepare(profile: Profile, key: SigningKey): LintedCertificate {
  return valueOf(lintCertificate(prepareCertificate(profile, valueOf(key.signatureAlgorithm))));
}

async function sign(profile: Profile, key: SigningKey): Promise<string> {
  return valueOf(await signCertificate(prepare(profile, key), key)).pem;
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8' });
}

/** Returns a CA with the given key, signed by this code, which tests isCa as well. */
async function makeCa(key: SigningKey): Promise<string> {
  const annotations = { 'experimental.cert-manager.io/request-is-ca': 'true' };
  const base = profileFor({ request: readRequest('ca'), usages: ['cert sign', 'crl sign'], annotations });
  return sign({ ...base, publicKey: key.publicKeySpki, isCa: true, hasKeyIdentifier: true }, key);
}

const ALGORITHMS: readonly (readonly [key: string, name: string])[] = [
  ['rsa2048', 'sha256WithRSAEncryption'],
  ['rsa3072', 'sha384WithRSAEncryption'],
  ['rsa4096', 'sha512WithRSAEncryption'],
  ['p256', 'ecdsa-with-SHA256'],
  ['p384', 'ecdsa-with-SHA384'],
  ['p521', 'ecdsa-with-SHA512'],
  ['ed25519', 'ED25519'],
];

for (const [name, algorithm] of ALGORITHMS) {
  test(`openssl verifies a leaf under a CA with the key ${name}`, async () => {
    const key = readKey(name);
    const ca = await makeCa(key);
    const [issuer] = valueOf(parseCertificates(ca));
    const leaf = await sign(profileFor({ request: readRequest('no-subject'), ...(issuer && { issuer }) }), key);
    const leafFile = file(`${name}-leaf.pem`, leaf);
    // The fixed time of the tests may be in the future.
    const verified = openssl(
      'verify',
      '-x509_strict',
      '-no_check_time',
      '-CAfile',
      file(`${name}-ca.pem`, ca),
      leafFile,
    );
    assert.equal(verified, `${leafFile}: OK\n`);
    assert.match(
      openssl('x509', '-in', leafFile, '-noout', '-text'),
      new RegExp(`Signature Algorithm: ${algorithm}\n`),
    );
  });
}

test('openssl shows every part of a certificate as in the profile', async () => {
  const [root] = readCaCertificates('root');
  const urls = {
    crlDistributionPoints: ['http://crl.example/1', 'http://crl.example/2'],
    ocspServers: ['http://ocsp.example'],
    issuingCertificateUrls: ['http://ca.example/ca.crt'],
  };
  const usages = ['digital signature', 'decipher only', 'server auth', 'any'];
  const profile = {
    ...profileFor({ request: readRequest('names'), usages, urls, ...(root && { issuer: root }) }),
    isCa: true,
    hasKeyIdentifier: true,
    nameConstraints: profileFor({ request: readPkiRequest('name-constraints') }).nameConstraints ?? assert.fail(),
  };
  const pem = await sign(profile, readKey('p256-root'));
  const text = openssl(
    'x509',
    '-in',
    file('full.pem', pem),
    '-noout',
    '-text',
    '-certopt',
    'no_pubkey,no_sigdump,no_aux',
  );
  const lines = text.split('\n').map(line => line.trim());
  const expected = `
    Serial Number:
    4d:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13
    Signature Algorithm: ecdsa-with-SHA256
    Issuer: O = Example, CN = root
    Validity
    Not Before: Nov 24 12:00:00 2026 GMT
    Not After : Feb 22 12:00:00 2027 GMT
    Subject: O = Example, CN = example
    X509v3 extensions:
    X509v3 Key Usage: critical
    Digital Signature, Decipher Only
    X509v3 Extended Key Usage:
    TLS Web Server Authentication, Any Extended Key Usage
    X509v3 Basic Constraints: critical
    CA:TRUE
    X509v3 Subject Key Identifier:
    ${createHash('sha256')
      .update(profile.publicKey.subarray(-65))
      .digest('hex')
      .slice(0, 40)
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:')}
    X509v3 Authority Key Identifier:
    ${root?.subjectKeyIdentifier
      ?.toString('hex')
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:')}
    Authority Information Access:
    OCSP - URI:http://ocsp.example
    CA Issuers - URI:http://ca.example/ca.crt
    X509v3 Name Constraints: critical
    Permitted:
    DNS:example.com
    IP:192.0.2.0/255.255.255.0
    email:example.com
    URI:.example.com
    Excluded:
    DNS:secret.example.com
    X509v3 CRL Distribution Points:
    Full Name:
    URI:http://crl.example/1
    Full Name:
    URI:http://crl.example/2
    X509v3 Subject Alternative Name:
    DNS:example.com, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:jane@example.com, URI:spiffe://example.com/x, othername: 1.2.3.4::other`;
  assert.deepEqual(
    lines.slice(lines.indexOf('Serial Number:')).filter(line => line !== ''),
    expected
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== ''),
  );
});

test('names are critical if there is no subject', async () => {
  const pem = await sign(profileFor({ request: readRequest('no-subject') }), readKey('p256'));
  const { extensions } = new X509Certificate(pem);
  assert.deepEqual(
    Array.from(extensions, ({ type, critical }) => [type, critical]),
    [
      ['2.5.29.15', true],
      ['2.5.29.19', true],
      ['2.5.29.17', true],
    ],
  );
});

const IDENTIFIER = Buffer.of(1, 2, 3);
const UNIDENTIFIED: readonly (readonly [whose: string, issuer: IssuerIdentity])[] = [
  ['its own name', { subject: profileFor({}).subject, subjectKeyIdentifier: IDENTIFIER }],
  ['a CA without a key identifier', { subject: nameOf('CA') }],
  ['a CA with an empty key identifier', { subject: nameOf('CA'), subjectKeyIdentifier: Buffer.of() }],
];

for (const [whose, issuer] of UNIDENTIFIED) {
  test(`a certificate issued by ${whose} has no authority key identifier`, async () => {
    const { extensions } = new X509Certificate(await sign(profileFor({ issuer }), readKey('p256')));
    assert.ok(!extensions.some(({ type }) => type === '2.5.29.35'));
  });
}

test('serial and SHA-256 are formatted as by openssl', async () => {
  const key = readKey('p256');
  const signed = valueOf(await signCertificate(prepare(profileFor({}), key), key));
  const shown = openssl('x509', '-in', file('plain.pem', signed.pem), '-noout', '-serial', '-fingerprint', '-sha256');
  const [serial, fingerprint] = shown
    .trim()
    .split('\n')
    .map(line => line.split('=')[1]?.replaceAll(':', '').toLowerCase());
  assert.deepEqual([signed.serial, signed.sha256], [serial, fingerprint]);
  assert.equal(signed.serial, SERIAL.toString('hex'));
  assert.match(signed.pem, /^-----BEGIN CERTIFICATE-----\n(.{64}\n)*.{1,64}\n-----END CERTIFICATE-----\n$/);
  assert.deepEqual(
    signed.der,
    new X509Certificate(signed.pem).rawData && Buffer.from(new X509Certificate(signed.pem).rawData),
  );
});

test('a certificate whose signature does not verify is not returned', async () => {
  const key = readKey('p256');
  const broken: SigningKey = {
    ...key,
    isKeyOf: () => true,
    sign: () => readKey('p256-root').sign(Buffer.from('other')),
  };
  const signed = await signCertificate(prepare(profileFor({}), key), { ...broken, publicKey: key.publicKey });
  assert.equal(errorOf(signed), 'signed certificate differs from the linted one: the signature does not verify');
});

test('a certificate signed with another key is not returned', async () => {
  const linted = prepare(profileFor({}), readKey('p256'));
  const stranger: SigningKey = {
    ...readKey('p256-root'),
    isKeyOf: () => false,
    sign: tbs => readKey('p256').sign(tbs),
  };
  assert.equal((await signCertificate(linted, stranger)).ok, false);
});

test('the error for a key that cannot sign contains no OpenSSL text', async () => {
  const linted = prepare(profileFor({}), readKey('p256'));
  const dead: SigningKey = { ...readKey('p256'), isKeyOf: () => true, sign: () => Promise.reject(new Error('0A:1B')) };
  assert.equal(errorOf(await signCertificate(linted, dead)), 'the private key cannot sign');
});

test('the types forbid signing an unlinted certificate', () => {
  const key = readKey('p256');
  const prepared = prepareCertificate(profileFor({}), valueOf(key.signatureAlgorithm));
  // @ts-expect-error: a prepared certificate is not a linted one.
  const attempt = () => signCertificate(prepared, key);
  assert.equal(typeof attempt, 'function');
});
