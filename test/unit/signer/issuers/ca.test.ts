// The decision of a CA issuer for every state of its Secret: who waits, who is signed, with which chain and top.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { readCertificates, rootTexts, type SecretTexts } from '../../../support/ca-builder.ts';
import { buildCertificate, holderOfKey } from '../../../support/certificate-builder.ts';
import { buildCsr } from '../../../support/csr-builder.ts';
import { caKind, decide, decideOn, key, nonsense, observe, signChain, topOf } from '../../../support/issuer-case.ts';

const CA = caKind();
const invalid = (error: string) =>
  `wait SecretInvalidData: Failed to parse signing CA keypair from secret sandbox/my-ca: ${error}`;
const broken = invalid('certificate chain is malformed or broken');
const mismatch = invalid("error creating x509 certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
const root = rootTexts();
const rsa1024 = key('rsa1024');

const WAITING: readonly (readonly [string, SecretTexts | undefined, string])[] = [
  ['no Secret', undefined, 'wait SecretMissing: Referenced secret sandbox/my-ca not found'],
  ['no key', { 'tls.crt': root['tls.crt'] }, invalid(`no private key data for "tls.key" in secret 'sandbox/my-ca'`)],
  ['an empty key', { ...root, 'tls.key': '' }, invalid(`no private key data for "tls.key" in secret 'sandbox/my-ca'`)],
  [
    'no certificate',
    { 'tls.key': root['tls.key'] },
    invalid(`no certificate data for "tls.crt" in secret 'sandbox/my-ca'`),
  ],
  ['nothing at all', {}, invalid(`no private key data for "tls.key" in secret 'sandbox/my-ca'`)],
  [
    'a key that is not PEM',
    { ...root, 'tls.key': 'x' },
    invalid('error decoding private key PEM block: no PEM data was found in given input'),
  ],
  [
    'a truncated key',
    { ...root, 'tls.key': root['tls.key'].slice(0, -10) },
    invalid('error decoding private key PEM block: PEM block PRIVATE KEY has no -----END line'),
  ],
  [
    'a broken PKCS#8 key',
    { ...root, 'tls.key': nonsense('PRIVATE KEY') },
    invalid('error parsing pkcs#8 private key: malformed key'),
  ],
  [
    'a broken SEC1 key',
    { ...root, 'tls.key': nonsense('EC PRIVATE KEY') },
    invalid('error parsing ecdsa private key: malformed key'),
  ],
  [
    'a broken PKCS#1 key',
    { ...root, 'tls.key': nonsense('RSA PRIVATE KEY') },
    invalid('error parsing rsa private key: malformed key'),
  ],
  [
    'an encrypted key',
    { ...root, 'tls.key': key('encrypted') },
    invalid(
      'unknown private key type: ENCRYPTED PRIVATE KEY; found an encrypted private key: decrypt it with "openssl pkey -in <file> -out <new file>"',
    ),
  ],
  [
    'a certificate instead of a key',
    { ...root, 'tls.key': root['tls.crt'] },
    invalid(
      'unknown private key type: CERTIFICATE; found a certificate, expected a private key: check whether the two are swapped',
    ),
  ],
  [
    'a certificate that is not PEM',
    { ...root, 'tls.crt': 'x' },
    invalid('error decoding certificate PEM block: no valid certificates found'),
  ],
  [
    'a ca.crt that is not PEM',
    { ...root, 'ca.crt': 'x' },
    invalid('error decoding certificate PEM block: no valid certificates found'),
  ],
  [
    'certificates joined without a line break',
    { ...root, 'tls.crt': readCertificates('root').trimEnd() + readCertificates('root-renewed') },
    invalid(
      'error decoding certificate PEM block: PEM block CERTIFICATE is followed by text on the same line: add a line break after -----END CERTIFICATE-----',
    ),
  ],
  ['a key that does not match the certificate', { ...root, 'tls.key': key('p384') }, mismatch],
  [
    'the certificates in the wrong order',
    { 'tls.key': key('rsa2048'), 'tls.crt': readCertificates('root', 'intermediate1') },
    mismatch,
  ],
  ['a chain with an unrelated certificate', { ...root, 'tls.crt': readCertificates('root', 'ed25519-root') }, broken],
  ['a gap in the chain', { 'tls.key': key('p384'), 'tls.crt': readCertificates('intermediate2', 'root') }, broken],
  ['an unrelated ca.crt', { ...root, 'ca.crt': readCertificates('ed25519-root') }, broken],
  ['a certificate that is not a CA', { ...root, 'tls.crt': readCertificates('not-ca') }, broken],
  ['a CA that may not sign certificates', { ...root, 'tls.crt': readCertificates('without-cert-sign') }, broken],
  [
    'a CA whose key is too small',
    { 'tls.key': rsa1024, 'tls.crt': buildCertificate(holderOfKey('rsa', rsa1024)) },
    invalid('invalid size 1024 for RSA key on signing certificate'),
  ],
];

describe('a CA issuer', () => {
  for (const [what, texts, expected] of WAITING) {
    it(`a CA issuer with ${what} makes requests wait`, async () => {
      const decision = decide(await observe(CA, texts));
      assert.equal(await decideOn(CA, texts), expected);
      assert.deepEqual(decision.kind === 'wait' && decision.secret?.ref, { namespace: 'sandbox', name: 'my-ca' });
    });
  }

  it('a CA issuer signs after it has seen a key of another type', async () => {
    assert.equal(await decideOn(CA, { ...root, 'tls.key': key('ed25519') }), mismatch);
    assert.equal(await decideOn(CA, root), 'issue');
  });

  const urls = ['http://crl.example', 'http://exämple/'];
  for (const spec of [{ crlDistributionPoints: urls }, { ocspServers: urls }, { issuingCertificateURLs: urls }]) {
    it(`a CA issuer makes requests wait while a URL of ${Object.keys(spec).join()} is not ASCII`, async () => {
      const kind = { ...CA, spec: { ca: { secretName: 'my-ca', ...spec } } };
      const expected = `wait IssuerNotReady: Referenced Issuer sandbox/my-ca has a URL in ${Object.keys(spec).join()} (15 characters) that is not printable ASCII: remove line breaks, percent-encode other characters, and write the host in Punycode`;
      assert.equal(await decideOn(kind, root), expected);
    });
  }

  it('a CA issuer explains why a certificate cannot be parsed', async () => {
    const decision = await decideOn(CA, { ...root, 'tls.crt': nonsense('CERTIFICATE') });
    assert.match(decision, /^wait SecretInvalidData: .*: error parsing X\.509 certificate: ./);
  });

  it('a CA issuer waits for its Secret before it checks the usages of the request', async () => {
    const csr = buildCsr({ usages: ['digital signature', 'nonsense'] });
    assert.match(await decideOn(CA, undefined, csr), /^wait SecretMissing/);
    const expected = 'fail SigningError: Error generating certificate template: unknown key usages: [nonsense]';
    assert.equal(await decideOn(CA, root, csr), expected);
  });

  it('the Secret of a ClusterIssuer is read from the cluster resource namespace', async () => {
    const csr = buildCsr({ signerName: 'clusterissuers.cert-manager.io/my-ca' });
    const expected = 'wait SecretMissing: Referenced secret countersign/my-ca not found';
    assert.equal(await decideOn(CA, undefined, csr), expected);
  });

  const chain = readCertificates('intermediate2', 'intermediate1');
  const CHAINS: readonly (readonly [string, SecretTexts, readonly string[], string])[] = [
    ['a root', root, [], 'root'],
    ['a root that is also in ca.crt', { ...root, 'ca.crt': root['tls.crt'] }, [], 'root'],
    [
      'a PKCS#1 key under a root',
      { 'tls.key': key('rsa2048-pkcs1'), 'tls.crt': readCertificates('intermediate1', 'root') },
      ['intermediate1'],
      'root',
    ],
    [
      'a chain without its root',
      { 'tls.key': key('p384-sec1'), 'tls.crt': chain },
      ['intermediate2', 'intermediate1'],
      'intermediate1',
    ],
    [
      'a chain whose root is in ca.crt',
      { 'tls.key': key('p384'), 'tls.crt': chain, 'ca.crt': root['tls.crt'] },
      ['intermediate2', 'intermediate1'],
      'root',
    ],
    [
      'a ca.crt with a large trust bundle',
      { ...root, 'ca.crt': `${root['tls.crt']}${'# trusted\n'.repeat(32_000)}` },
      [],
      'root',
    ],
    [
      'a ca.crt with two certificates, of which only the first counts',
      { ...root, 'ca.crt': readCertificates('root', 'ed25519-root') },
      [],
      'root',
    ],
    [
      'intermediates in any order',
      { 'tls.key': key('p384'), 'tls.crt': readCertificates('intermediate2', 'root', 'intermediate1') },
      ['intermediate2', 'intermediate1'],
      'root',
    ],
    ['an Ed25519 root', { 'tls.key': key('ed25519'), 'tls.crt': readCertificates('ed25519-root') }, [], 'ed25519-root'],
  ];
  const parse = (pem: string) => new X509Certificate(pem).fingerprint256;
  for (const [what, texts, above, top] of CHAINS) {
    it(`a CA issuer signs with the chain of ${what} and recognizes it later`, async () => {
      const observed = await observe(CA, texts);
      const { chainPem, topPem } = await signChain(observed);
      const [leaf, ...others] = chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
      const signer = new X509Certificate(texts['tls.crt'] ?? '');
      assert.ok(new X509Certificate(leaf ?? '').verify(signer.publicKey));
      assert.deepEqual(
        others.map(parse),
        above.map(name => parse(readCertificates(name))),
      );
      assert.equal(parse(topPem), parse(readCertificates(top)));
      assert.equal(topOf(observed, chainPem), topPem);
    });
  }

  it('a CA issuer returns no top for the certificate of another CA, even with the same name', async () => {
    const { chainPem } = await signChain(await observe(CA, root));
    const namesake = await observe(CA, { 'tls.key': key('p384'), 'tls.crt': readCertificates('same-name-other-key') });
    assert.equal(topOf(namesake, chainPem), undefined);
    for (const text of ['', 'x', nonsense('CERTIFICATE')])
      assert.equal(topOf(await observe(CA, root), text), undefined);
    assert.equal(topOf(await observe(CA, undefined), chainPem), undefined);
  });

  it('a CA issuer returns no top if its key has another name now or its certificates form no chain', async () => {
    const { chainPem } = await signChain(await observe(CA, root));
    const renamed = buildCertificate(holderOfKey('renamed', root['tls.key']));
    assert.equal(topOf(await observe(CA, { ...root, 'tls.crt': renamed }), chainPem), undefined);
    const unlinked = await observe(CA, { ...root, 'ca.crt': readCertificates('ed25519-root') });
    assert.equal(topOf(unlinked, chainPem), undefined);
  });

  it('a CA issuer returns the top for certificates signed before its renewal', async () => {
    const { chainPem } = await signChain(await observe(CA, root));
    const renewed = await observe(CA, { ...root, 'tls.crt': readCertificates('root-renewed') });
    assert.equal(parse(topOf(renewed, chainPem) ?? ''), parse(readCertificates('root-renewed')));
  });

  it('a serialized decision does not reveal the private key', async () => {
    const decision = decide(await observe(CA, root));
    const der = Buffer.from(root['tls.key'].split('\n').slice(1, -2).join(''), 'base64');
    const shown = JSON.stringify(decision);
    assert.ok(!shown.includes('PRIVATE KEY') && !shown.includes(der.toString('base64')));
  });
});

describe('an expired CA', () => {
  const holder = holderOfKey('ca', key('p256'));
  const expired = { 'tls.key': key('p256'), 'tls.crt': buildCertificate(holder, holder, { ends: '261124120000Z' }) };

  it('an expired CA still signs by default, as with cert-manager', async () => {
    assert.equal(await decideOn(CA, expired), 'issue');
  });

  for (const setting of ['refuseExpiredCa', 'clampToCa']) {
    it(`an expired CA makes requests wait with ${setting}, and a valid one does not`, async () => {
      const policy = { [setting]: true };
      const waits = invalid('the CA certificate expired at 2026-11-24T12:00:00.000Z');
      assert.equal(await decideOn({ ...CA, policy }, expired), waits);
      assert.equal(await decideOn({ ...CA, policy }, root), 'issue');
    });
  }
});
