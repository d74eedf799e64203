// Chains: the certificates of a CA ordered from the signer up, with cert-manager's results.

import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '@countersign/common/x509/der.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { parseCertificates, parseFirstCertificate } from '@countersign/signer/authority/ca-certificate.ts';
import { completeChain, linkIssuerChain } from '@countersign/signer/authority/chain.ts';
import { X509Certificate } from '@peculiar/x509';
import { buildCertificate, createHolder } from '../../../support/certificate-builder.ts';
import { errorOf, readCaCertificates, readPki, valueOf } from '../../../support/pki.ts';

const BROKEN = 'certificate chain is malformed or broken';
const LEAF = 'leaf\n';

function certificate(name: string): string {
  return readPki(`certificates/${name}`);
}

/** The certificates in the Secret, signer first; the certificates above the leaf; and the top. */
type Case = readonly [what: string, given: readonly string[], shown: readonly string[], top: string];

const LINKED: readonly Case[] = [
  ['a root is the top and not in the chain', ['root'], [], 'root'],
  [
    'an intermediate without its root is the top and in the chain',
    ['intermediate1'],
    ['intermediate1'],
    'intermediate1',
  ],
  ['an intermediate is in the chain, and its root is not', ['intermediate1', 'root'], ['intermediate1'], 'root'],
  [
    'two intermediates are in the chain from the signer up',
    ['intermediate2', 'intermediate1', 'root'],
    ['intermediate2', 'intermediate1'],
    'root',
  ],
  [
    'the order of certificates above the signer does not matter',
    ['intermediate2', 'root', 'intermediate1'],
    ['intermediate2', 'intermediate1'],
    'root',
  ],
  [
    'duplicate certificates do not matter',
    ['intermediate2', 'intermediate1', 'intermediate2', 'root', 'root'],
    ['intermediate2', 'intermediate1'],
    'root',
  ],
  ['a root without key identifiers links', ['root-without-ski'], [], 'root-without-ski'],
  ['an Ed25519 root links', ['ed25519-root'], [], 'ed25519-root'],
];

for (const [what, given, shown, top] of LINKED) {
  test(what, async () => {
    const chain = valueOf(await linkIssuerChain(readCaCertificates(...given)));
    const expected = { chainPem: LEAF + shown.map(certificate).join(''), topPem: certificate(top) };
    assert.deepEqual(completeChain(LEAF, { chain, rootInChain: false }), expected);
  });
}

test('a renewed root with the same name and key does not break the chain', async () => {
  const { chainPem } = completeChain(LEAF, {
    chain: valueOf(await linkIssuerChain(readCaCertificates('root', 'root-renewed'))),
    rootInChain: false,
  });
  assert.equal(chainPem, LEAF);
});

for (const [what, given, shown] of [
  ['a signing root', ['root'], ['root']],
  ['a root above its intermediate', ['intermediate1', 'root'], ['intermediate1', 'root']],
  ['only the top of a renewed root', ['root', 'root-renewed'], ['root']],
  ['no root that is missing from the Secret', ['intermediate1'], ['intermediate1']],
] as const) {
  test(`the chain with rootInChain contains ${what}`, async () => {
    const { chainPem } = completeChain(LEAF, {
      chain: valueOf(await linkIssuerChain(readCaCertificates(...given))),
      rootInChain: true,
    });
    assert.equal(chainPem, LEAF + shown.map(certificate).join(''));
  });
}

const UNLINKED: readonly (readonly [what: string, given: readonly string[]])[] = [
  ['a gap in the chain', ['intermediate2', 'root']],
  ['an unrelated certificate', ['intermediate1', 'root', 'ed25519-root']],
  ['a root of the same name with another key', ['intermediate1', 'same-name-other-key']],
  ['a signer that is not the lowest', ['root', 'intermediate1']],
  ['a signer that is not a CA', ['not-ca']],
  ['a signer that may not sign certificates', ['without-cert-sign']],
];

for (const [what, given] of UNLINKED) {
  test(`linkIssuerChain rejects ${what}`, async () => {
    assert.equal(errorOf(await linkIssuerChain(readCaCertificates(...given))), BROKEN);
  });
}

const [low, high] = [createHolder('low'), createHolder('high')];
const BUILT_UNLINKED: readonly (readonly [what: string, signer: string, root: string])[] = [
  [
    'a signer that is not a CA, below a root that is',
    buildCertificate(low, high, { basicConstraints: sequence() }),
    buildCertificate(high),
  ],
  [
    'a root with the same key and another name',
    buildCertificate(low, high),
    buildCertificate({ ...high, name: 'renamed' }),
  ],
];

for (const [what, signer, root] of BUILT_UNLINKED) {
  test(`linkIssuerChain rejects ${what}`, async () => {
    assert.equal(errorOf(await linkIssuerChain(valueOf(parseCertificates(signer + root)))), BROKEN);
  });
}

test('linkIssuerChain rejects an empty list', async () => assert.equal(errorOf(await linkIssuerChain([])), BROKEN));

test('too many certificates are rejected before any is parsed', () => {
  const error = 'certificate chain is too long: 33 certificates, the maximum is 32';
  assert.equal(errorOf(parseCertificates(formatPem('CERTIFICATE', Buffer.from('none')).repeat(33))), error);
  assert.ok(parseCertificates(certificate('root').repeat(32)).ok);
});

test('certificates with the same name cost a bounded number of signature checks', async () => {
  const impostors = Array.from({ length: 32 }, () => buildCertificate(createHolder('one name')));
  const error = 'certificate chain requires more than 64 signature checks to link';
  assert.equal(errorOf(await linkIssuerChain(valueOf(parseCertificates(impostors.join(''))))), error);
});

test('the maximum number of certificates forms one chain if each CA has its own name', async () => {
  const holders = Array.from({ length: 32 }, (_, at) => createHolder(`CA ${at}`));
  const pems = holders.map((holder, at) => buildCertificate(holder, holders[at + 1] ?? holder));
  const { topPem, aboveLeafPem } = valueOf(await linkIssuerChain(valueOf(parseCertificates(pems.join('')))));
  assert.equal(topPem, pems.at(-1));
  assert.equal(aboveLeafPem, pems.slice(0, -1).join(''));
});

test('only the first certificate of a trust bundle is parsed', () => {
  const first = certificate('root');
  const bundle = `${first}${formatPem('CERTIFICATE', Buffer.from('none'))}`;
  assert.equal(valueOf(parseFirstCertificate(bundle)).pem, first);
});

test('a self-signed certificate is its own chain', () => {
  assert.deepEqual(completeChain(LEAF, undefined), { chainPem: LEAF, topPem: LEAF });
});

for (const name of ['root', 'intermediate1', 'ed25519-root', 'root-without-ski', 'not-ca', 'without-cert-sign']) {
  test(`the certificate ${name} is parsed as by @peculiar/x509`, () => {
    const [parsed] = readCaCertificates(name);
    const other = new X509Certificate(certificate(name));
    assert.ok(parsed);
    assert.deepEqual(parsed.subject, Buffer.from(other.subjectName.toArrayBuffer()));
    assert.deepEqual(parsed.issuer, Buffer.from(other.issuerName.toArrayBuffer()));
    assert.deepEqual(parsed.spki, Buffer.from(other.publicKey.rawData));
    assert.equal(parsed.pem, certificate(name));
    assert.equal(parsed.isCa, name !== 'not-ca');
    assert.equal(parsed.canSignCertificates, !['not-ca', 'without-cert-sign'].includes(name));
    assert.equal(parsed.subjectKeyIdentifier?.length, name === 'root-without-ski' ? undefined : 20);
  });
}

test('comments and blank lines around certificates are dropped', () => {
  const [parsed] = valueOf(parseCertificates(`subject=root\n\n${certificate('root')}\n# end\n`));
  assert.equal(parsed?.pem, certificate('root'));
});

const REJECTED: readonly (readonly [what: string, pem: string, error: string])[] = [
  ['an empty text', '', 'error decoding certificate PEM block: no valid certificates found'],
  ['a key', readPki('keys/p256'), 'error parsing X.509 certificate: unexpected PEM block PRIVATE KEY'],
  [
    'oversized PEM',
    certificate('root').repeat(200),
    'error decoding certificate PEM block: provided PEM data was larger than the maximum 95000B',
  ],
  [
    'a PEM block without an end',
    certificate('root').slice(0, -10),
    'error decoding certificate PEM block: PEM block CERTIFICATE has no -----END line',
  ],
  [
    'bytes that are not a certificate',
    '-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n',
    'error parsing X.509 certificate: malformed DER: trailing data',
  ],
  [
    'a TRUE that is not DER (as in Go)',
    replaceDer(certificate('root'), '0603551d130101ff040530030101ff', '0603551d130101ff04053003010101'),
    'error parsing X.509 certificate: x509: invalid basic constraints; the API server rejects this certificate: issue a new one',
  ],
  [
    'a duplicate extension',
    replaceDer(certificate('root'), '0603551d0f', '0603551d13'),
    'error parsing X.509 certificate: duplicate extension 2.5.29.19: include each extension once',
  ],
];

/** Returns the certificate with some of its bytes (hexadecimal) replaced. */
function replaceDer(pem: string, before: string, after: string): string {
  const hex = Buffer.from(new X509Certificate(pem).rawData).toString('hex');
  assert.ok(hex.includes(before), `no ${before} in ${hex}`);
  return formatPem('CERTIFICATE', Buffer.from(hex.replace(before, after), 'hex'));
}

for (const [what, pem, error] of REJECTED) {
  test(`parseCertificates rejects ${what}`, () => assert.equal(errorOf(parseCertificates(pem)), error));
}
