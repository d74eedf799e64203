// Which requests are suspected to have been ended by another signer, and how often that is reported.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRecord } from '@countersign/signer/requests/request-kind.ts';
import { OtherSigners } from '@countersign/signer/writes/other-signers.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';

const MINUTE = 60_000;
const metadata = { name: 'jane', uid: 'uid-of-jane' };
const APPROVED = { waitsForIssuer: () => true };
const open: RequestRecord = { metadata, state: 'open', receivedAt: 0 };
const done: RequestRecord = { ...open, state: 'done' };

function track() {
  const ledger = new WriteLedger();
  return { ledger, others: new OtherSigners(APPROVED, ledger, () => 0) };
}

describe('a request that ends', () => {
  it('is a suspect if this replica was to sign it and wrote nothing', () => {
    const { others } = track();
    others.update('jane', done, open, true);
    assert.deepEqual(others.due(), ['jane']);
    assert.equal(others.find('jane'), open);
    others.delete('jane');
    assert.deepEqual([others.due(), others.find('jane')], [[], undefined]);
  });

  it('is no suspect if our write was answered before the watch delivers it', () => {
    const { ledger, others } = track();
    ledger.recordAnswer(open);
    others.update('jane', done, open, true);
    assert.deepEqual(others.due(), []);
  });

  it('is no suspect any more once our write is answered after the watch delivered it', () => {
    for (const clear of ['due', 'find'] as const) {
      const { ledger, others } = track();
      others.update('jane', done, open, true);
      ledger.recordAnswer(open);
      if (clear === 'find') assert.equal(others.find('jane'), undefined);
      assert.deepEqual(others.due(), []);
    }
  });

  const cases: [string, RequestRecord | undefined, RequestRecord | undefined, boolean][] = [
    ['that ended while another replica was leader', done, open, false],
    ['that had ended when it was listed', done, undefined, true],
    ['that had ended before', done, done, true],
    ['that is deleted', undefined, open, true],
    ['that only lacks an annotation now', { ...open, state: 'repair' }, open, true],
    ['that is still open', open, open, true],
  ];
  for (const [title, now, before, isLeading] of cases) {
    it(`is no suspect: one ${title}`, () => {
      const { others } = track();
      others.update('jane', now, before, isLeading);
      assert.deepEqual(others.due(), []);
    });
  }

  it('is no suspect if it was not approved', () => {
    const others = new OtherSigners({ waitsForIssuer: () => false }, new WriteLedger());
    others.update('jane', done, open, true);
    assert.deepEqual(others.due(), []);
  });

  it('is forgotten when a new term begins', () => {
    const { others } = track();
    others.update('jane', done, open, true);
    others.begin();
    assert.deepEqual(others.due(), []);
  });
});

it('another signer is logged once in a term, and recorded in one event a minute', () => {
  let now = 0;
  const others = new OtherSigners(APPROVED, new WriteLedger(), () => now);
  const ask = () => [others.mayLog(), others.mayRecord()];
  assert.deepEqual(ask(), [true, true]);
  assert.deepEqual(ask(), [false, false]);
  now = MINUTE;
  assert.deepEqual(ask(), [false, true]);
  others.begin();
  assert.deepEqual(ask(), [true, true]);
});

it('an end that was written by this replica is taken once', () => {
  const { ledger } = track();
  ledger.recordAnswer(open);
  assert.deepEqual(
    [ledger.takeEnd('another'), ledger.takeEnd('uid-of-jane'), ledger.takeEnd('uid-of-jane')],
    [false, true, false],
  );
});
