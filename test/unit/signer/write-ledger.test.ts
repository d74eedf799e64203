// Which writes without an answer are known again by what the request has, and which copies are out of date.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CSR_KIND } from '@countersign/signer/requests/csr/csr-kind.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { APPROVED_AT, buildCsr } from '../../support/csr-builder.ts';

const hasLanded = (ledger: WriteLedger, csr: { metadata: { name: string; uid?: string }; status?: object }) =>
  ledger.hasLanded(csr, CSR_KIND.digestOf(csr.status ?? {}));

describe('of a CSR that was written to without an answer', () => {
  const failure = { reason: 'InvalidDuration', message: 'too short', lastUpdateTime: APPROVED_AT };
  const csrWith = (change: object, uid = 'uid-of-jane') => ({
    metadata: { name: 'jane', uid },
    spec: buildCsr().spec,
    status: { conditions: [{ type: 'Failed', status: 'True', ...failure, ...change }] },
  });
  const ledger = new WriteLedger();
  ledger.noteSilence(csrWith({}), CSR_KIND.digestOf(csrWith({}).status));

  it('the very failure is ours', () => assert.equal(hasLanded(ledger, csrWith({})), true));

  for (const change of [
    { reason: 'SigningError' },
    { message: 'too long' },
    { lastUpdateTime: '2026-11-24T12:00:01Z' },
  ]) {
    it(`a failure with another ${Object.keys(change).join()} is not`, () =>
      assert.equal(hasLanded(ledger, csrWith(change)), false));
  }

  it('nor is anything of another CSR of the same name, before and after that is written to', () => {
    const another = csrWith({}, 'another');
    assert.equal(hasLanded(ledger, another), false);
    ledger.noteSilence(another, CSR_KIND.digestOf({ certificate: 'Zm9v' }));
    assert.equal(hasLanded(ledger, another), false);
  });
});

it('no more than eight writes without an answer are remembered of one CSR', () => {
  const ledger = new WriteLedger();
  for (let at = 0; at < 20; at += 1) ledger.noteSilence(buildCsr(), String(at));
  const known = Array.from({ length: 20 }, (_, at) => ledger.hasLanded(buildCsr(), String(at)));
  assert.equal(known.indexOf(true), 12);
});

it('a write that is answered makes the copy that it was based on stale, and ends the doubt', () => {
  const ledger = new WriteLedger();
  const [copy, another] = [buildCsr(), buildCsr()];
  ledger.noteSilence(copy, 'first');
  ledger.noteAnswer(copy);
  assert.deepEqual([ledger.isStale(copy), ledger.isStale(another), ledger.isInDoubt('jane')], [true, false, false]);
});

it('objects of one name in two namespaces are two', () => {
  const ledger = new WriteLedger();
  const [one, another] = ['one', 'another'].map(namespace => ({
    metadata: { name: 'web', namespace, uid: namespace },
  }));
  ledger.noteSilence(one!, 'first');
  ledger.noteSilence(another!, 'second');
  assert.deepEqual(ledger.inDoubt, ['one/web', 'another/web']);
  assert.deepEqual([ledger.hasLanded(one!, 'first'), ledger.hasLanded(another!, 'first')], [true, false]);
});
