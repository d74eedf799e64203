// The decision of a SelfSigned issuer for every state of a request and of its Secret.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME } from '@countersign/common/annotations.ts';
import type { SecretTexts } from '../../../support/ca-builder.ts';
import { buildCsr, buildRequest } from '../../../support/csr-builder.ts';
import { decideOn, key, observe, selfSignedKind, signChain, topOf } from '../../../support/issuer-case.ts';
import { readPkiRequest } from '../../../support/pki.ts';

const SELF_SIGNED = selfSignedKind();
const rsa1024 = key('rsa1024');

describe('a SelfSigned issuer', () => {
  const named = { annotations: { [PRIVATE_KEY_SECRET_NAME]: 'my-key' } };
  const ours = buildCsr({ ...named, request: buildRequest() });
  const missing =
    'fail MissingAnnotation: Missing private key reference annotation: "experimental.cert-manager.io/private-key-secret-name"';
  const unreadable = (error: string) =>
    `wait ErrorParsingKey: Failed to parse signing key from secret sandbox/my-key: ${error}`;
  const noData = unreadable(`no data for "tls.key" in secret 'sandbox/my-key'`);
  const bad = buildCsr({ ...named, request: buildRequest(), usages: ['nonsense'] });
  const generating = 'fail ErrorGenerating: Error generating certificate template: unknown key usages: [nonsense]';
  const mismatched = 'fail ErrorKeyMatch: Referenced private key in Secret does not match that in the request';
  const small = 'fail ErrorSigning: Error signing certificate: invalid size 1024 for RSA key on signing certificate';
  const ROWS: readonly (readonly [string, typeof ours, SecretTexts | undefined, string])[] = [
    ['fails without the annotation', buildCsr(), { 'tls.key': key('p256') }, missing],
    [
      'fails with an empty annotation',
      buildCsr({ annotations: { [PRIVATE_KEY_SECRET_NAME]: '' } }),
      { 'tls.key': key('p256') },
      missing,
    ],
    ['waits for its Secret', ours, undefined, 'wait SecretNotFound: Referenced Secret sandbox/my-key not found'],
    [
      'waits for its Secret before it checks the request',
      bad,
      undefined,
      'wait SecretNotFound: Referenced Secret sandbox/my-key not found',
    ],
    ['waits for a key', ours, {}, noData],
    ['waits while the key is empty', ours, { 'tls.key': '' }, noData],
    [
      'waits while the key cannot be parsed',
      ours,
      { 'tls.key': 'x' },
      unreadable('error decoding private key PEM block: no PEM data was found in given input'),
    ],
    [
      'waits while the key type is unsupported',
      ours,
      { 'tls.key': key('ed448') },
      unreadable('error parsing pkcs#8 private key: unsupported key type ed448'),
    ],
    ['fails an invalid request', bad, { 'tls.key': key('p256') }, generating],
    ['checks the request before the key', bad, { 'tls.key': key('p384') }, generating],
    ['fails a request whose key is not in the Secret', ours, { 'tls.key': key('p384') }, mismatched],
    [
      'fails a request whose key is not in the Secret before it checks the key size',
      ours,
      { 'tls.key': rsa1024 },
      mismatched,
    ],
    [
      'fails a request whose key is too small',
      buildCsr({ ...named, request: buildRequest([], rsa1024) }),
      { 'tls.key': rsa1024 },
      small,
    ],
    ['signs with the key of the request', ours, { 'tls.key': key('p256') }, 'issue'],
    [
      'signs a request that openssl made',
      buildCsr({ ...named, request: readPkiRequest('p521') }),
      { 'tls.key': key('p521') },
      'issue',
    ],
  ];
  for (const [what, csr, texts, expected] of ROWS) {
    it(`a SelfSigned issuer ${what}`, async () => assert.equal(await decideOn(SELF_SIGNED, texts, csr), expected));
  }

  it('a SelfSigned issuer waits while one of its URLs is not ASCII', async () => {
    const kind = { ...SELF_SIGNED, spec: { selfSigned: { crlDistributionPoints: ['http://exämple/'] } } };
    const decision = await decideOn(kind, { 'tls.key': key('p256') }, ours);
    assert.match(
      decision,
      /^wait IssuerNotReady: Referenced Issuer .* has a URL in crlDistributionPoints \(15 characters\) that is not printable ASCII/,
    );
  });

  it('a self-signed certificate is its own issuer, chain and top', async () => {
    const observed = await observe(
      SELF_SIGNED,
      { 'tls.key': key('p521') },
      buildCsr({ ...named, request: readPkiRequest('p521') }),
    );
    const { chainPem, topPem } = await signChain(observed);
    const certificate = new X509Certificate(chainPem);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.issuer, certificate.subject);
    assert.deepEqual([topPem, topOf(observed, chainPem)], [chainPem, chainPem]);
  });
});
