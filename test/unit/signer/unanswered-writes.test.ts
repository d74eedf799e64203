// Which writes without an answer are known again by what the CSR has.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnansweredWrites } from '@countersign/signer/unanswered-writes.ts';
import { APPROVED_AT, buildCsr } from '../../support/csr-builder.ts';

describe('of a CSR that was written to without an answer', () => {
  const failure = { reason: 'InvalidDuration', message: 'too short', lastUpdateTime: APPROVED_AT };
  const csrWith = (change: object, uid = 'uid-of-jane') => ({
    metadata: { name: 'jane', uid },
    spec: buildCsr().spec,
    status: { conditions: [{ type: 'Failed', status: 'True', ...failure, ...change }] },
  });
  const writes = new UnansweredWrites();
  writes.add(csrWith({}), csrWith({}).status);

  it('the very failure is ours', () => assert.equal(writes.hasLanded(csrWith({})), true));

  for (const change of [
    { reason: 'SigningError' },
    { message: 'too long' },
    { lastUpdateTime: '2026-11-24T12:00:01Z' },
  ]) {
    it(`a failure with another ${Object.keys(change).join()} is not`, () =>
      assert.equal(writes.hasLanded(csrWith(change)), false));
  }

  it('nor is anything of another CSR of the same name, before and after that is written to', () => {
    const another = csrWith({}, 'another');
    assert.equal(writes.hasLanded(another), false);
    writes.add(another, { certificate: 'Zm9v' });
    assert.equal(writes.hasLanded(another), false);
  });
});

it('no more than eight writes without an answer are remembered of one CSR', () => {
  const writes = new UnansweredWrites();
  const written = (at: number) => ({ certificate: String(at) });
  for (let at = 0; at < 20; at += 1) writes.add(buildCsr(), written(at));
  const known = Array.from({ length: 20 }, (_, at) => writes.hasLanded({ ...buildCsr(), status: written(at) }));
  assert.equal(known.indexOf(true), 12);
});
