// Chains of CAs that have certificates of several others: the order in which they are given does not matter.

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
  ['a CA that was a root itself', [selfA, aByB, selfB], selfB],
  ['two such CAs', [selfA, aByB, selfB, bByC, selfC], selfC],
  ['two CAs that have signed each other', [aByB, bByA], bByA],
  ['two CAs that have signed each other, and a third', [aByB, bByA, aByC, selfA, selfB, selfC], selfC],
];

for (const [what, others, top] of LINKED) {
  test(`links ${what}, in whatever order`, async () => {
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
  ['two ways up', [aByB, aByC, selfB, selfC]],
  ['a way up that the signer is not on', [bByC, selfC]],
  ['two ways up of which one comes from elsewhere', [aByB, bByC, buildCertificate(createHolder('D'), b)]],
];

for (const [what, others] of UNLINKED) {
  test(`refuses ${what}, in whatever order`, async () => {
    const order = fc.shuffledSubarray([...others], { minLength: others.length });
    await fc.assert(
      fc.asyncProperty(order, async shuffled =>
        assert.equal(errorOf(await link(signer, ...shuffled)), 'certificate chain is malformed or broken'),
      ),
      { numRuns: 10 },
    );
  });
}
