// Which unanswered writes are recognized as ours, and which cached objects are stale.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CSR_KIND } from '@countersign/signer/requests/csr/csr-kind.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { APPROVED_AT, buildCsr } from '../../support/csr-builder.ts';

const wasStored = (ledger: WriteLedger, csr: { metadata: { name: string; uid?: string }; status?: object }) =>
  ledger.wasStored(csr, CSR_KIND.digestOf(csr.status ?? {}));

describe('a CSR with an unanswered write', () => {
  const failure = { reason: 'InvalidDuration', message: 'too short', lastUpdateTime: APPROVED_AT };
  const csrWith = (change: object, uid = 'uid-of-jane') => ({
    metadata: { name: 'jane', uid },
    spec: buildCsr().spec,
    status: { conditions: [{ type: 'Failed', status: 'True', ...failure, ...change }] },
  });
  const ledger = new WriteLedger();
  ledger.recordUnanswered(csrWith({}), CSR_KIND.digestOf(csrWith({}).status));

  it('the failure that was written is recognized as ours', () => assert.equal(wasStored(ledger, csrWith({})), true));

  for (const change of [
    { reason: 'SigningError' },
    { message: 'too long' },
    { lastUpdateTime: '2026-11-24T12:00:01Z' },
  ]) {
    it(`a failure with another ${Object.keys(change).join()} is not recognized as ours`, () =>
      assert.equal(wasStored(ledger, csrWith(change)), false));
  }

  it('a failure of another CSR with the same name is not recognized as ours', () => {
    const another = csrWith({}, 'another');
    assert.equal(wasStored(ledger, another), false);
    ledger.recordUnanswered(another, CSR_KIND.digestOf({ certificate: 'Zm9v' }));
    assert.equal(wasStored(ledger, another), false);
  });
});

it('at most eight unanswered writes are remembered for one CSR', () => {
  const ledger = new WriteLedger();
  for (let at = 0; at < 20; at += 1) ledger.recordUnanswered(buildCsr(), String(at));
  const known = Array.from({ length: 20 }, (_, at) => ledger.wasStored(buildCsr(), String(at)));
  assert.equal(known.indexOf(true), 12);
});

it('an answered write makes the object it was based on stale and settles earlier unanswered writes', () => {
  const ledger = new WriteLedger();
  const [cached, another] = [buildCsr(), buildCsr()];
  ledger.recordUnanswered(cached, 'first');
  ledger.recordAnswer(cached);
  assert.deepEqual([ledger.isStale(cached), ledger.isStale(another), ledger.isInDoubt('jane')], [true, false, false]);
});

it('objects with the same name in two namespaces are tracked separately', () => {
  const ledger = new WriteLedger();
  const [one, another] = ['one', 'another'].map(namespace => ({
    metadata: { name: 'web', namespace, uid: namespace },
  }));
  ledger.recordUnanswered(one!, 'first');
  ledger.recordUnanswered(another!, 'second');
  assert.deepEqual(ledger.inDoubt, ['one/web', 'another/web']);
  assert.deepEqual([ledger.wasStored(one!, 'first'), ledger.wasStored(another!, 'first')], [true, false]);
});
