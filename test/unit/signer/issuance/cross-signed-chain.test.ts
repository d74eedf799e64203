// Chains of cross-signed CAs: the order of the certificates does not matter.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCertificates } from '@countersign/signer/authority/ca-certificate.ts';
import { linkIssuerChain } from '@countersign/signer/authority/chain.ts';
import * as fc from 'fast-check';
import { buildCertificate, createHolder } from '../../../support/certificate-builder.ts';
import { errorOf, valueOf } from '../../../support/pki.ts';

const [leaf, a, b, c] = ['leaf CA', 'A', 'B', 'C'].map(createHolder) as [Holder, Holder, Holder, Holder];
type Holder = ReturnType<typeof createHolder>;

const signer = buildCertificate(leaf, a);
const [selfA, selfB, selfC] = [a, b, c].map(holder => buildCertificate(holder)) as [string, string, string];
const [aByB, bByA, bByC, aByC] = [
  buildCertificate(a, b),
  buildCertificate(b, a),
  buildCertificate(b, c),
  buildCertificate(a, c),
];

function link(...pems: readonly string[]) {
  return linkIssuerChain(valueOf(parseCertificates(pems.join(''))));
}

const LINKED: readonly (readonly [what: string, others: readonly string[], top: string])[] = [
  ['one CA over another', [aByB, selfB], selfB],
  ['a CA that is also a root', [selfA, aByB, selfB], selfB],
  ['two such CAs', [selfA, aByB, selfB, bByC, selfC], selfC],
  ['two cross-signed CAs', [aByB, bByA], bByA],
  ['two cross-signed CAs below a third', [aByB, bByA, aByC, selfA, selfB, selfC], selfC],
];

for (const [what, others, top] of LINKED) {
  test(`linkIssuerChain links ${what} in any order`, async () => {
    const expected = valueOf(await link(signer, ...others));
    assert.ok(expected.aboveLeafPem.startsWith(signer));
    assert.equal(expected.topPem, top);
    const shown = others.filter(pem => ![selfA, selfB, selfC].includes(pem));
    assert.equal(expected.aboveLeafPem.match(/BEGIN/g)?.length, 1 + shown.length);
    for (const pem of shown) assert.ok(expected.aboveLeafPem.includes(pem));
    const order = fc.shuffledSubarray([...others], { minLength: others.length });
    await fc.assert(
      fc.asyncProperty(order, async shuffled =>
        assert.deepEqual(await link(signer, ...shuffled), { ok: true, value: expected }),
      ),
      { numRuns: 25 },
    );
  });
}

const UNLINKED: readonly (readonly [what: string, others: readonly string[]])[] = [
  ['two paths up', [aByB, aByC, selfB, selfC]],
  ['a path that does not start at the signer', [bByC, selfC]],
  ['a path with an unrelated branch', [aByB, bByC, buildCertificate(createHolder('D'), b)]],
];

for (const [what, others] of UNLINKED) {
  test(`linkIssuerChain rejects ${what} in any order`, async () => {
    const order = fc.shuffledSubarray([...others], { minLength: others.length });
    await fc.assert(
      fc.asyncProperty(order, async shuffled =>
        assert.equal(errorOf(await link(signer, ...shuffled)), 'certificate chain is malformed or broken'),
      ),
      { numRuns: 10 },
    );
  });
}
