// Access reviews, as both services send them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceReviews } from '@countersign/common/reference-permission.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { isAnyAllowed } from '@countersign/common/runtime/kube/access-review.ts';
import { type Answer, RecordingClient } from '../../support/recording-client.ts';

const REVIEWS = referenceReviews({ kind: 'Issuer', namespace: 'sandbox', name: 'ca' }, { username: 'jane' });

/** The names in the reviews, and the result. */
async function ask(...answers: readonly unknown[]) {
  const left = [...answers];
  const answer: Answer = () => {
    const next = left.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  const client = new RecordingClient(answer);
  const result = await isAnyAllowed(client, REVIEWS).catch((error: unknown) => error);
  const names = client.calls.map(({ body }) => (body as (typeof REVIEWS)[0]).spec.resourceAttributes.name);
  return { result, names };
}

const YES = { status: { allowed: true } };
const NO = { status: { allowed: false } };
const BROKEN = new RetryableError('read ECONNRESET', { code: 'network' });
const REFUSED = new TerminalError('no such review', { code: 'bad-request' });

describe('access reviews', () => {
  it('access reviews stop at the first allowed review', async () => {
    assert.deepEqual(await ask(YES), { result: true, names: ['ca'] });
    assert.deepEqual(await ask(NO, YES), { result: true, names: ['ca', '*'] });
  });

  it('access reviews are denied if all reviews are denied', async () => {
    assert.deepEqual(await ask(NO, NO), { result: false, names: ['ca', '*'] });
  });

  for (const status of [
    undefined,
    {},
    { allowed: 'true' },
    { allowed: null },
    { reason: 'webhook authorizer failed' },
  ]) {
    it(`access reviews fail with the status ${JSON.stringify(status)}`, async () => {
      const { result, names } = await ask({ status });
      assert.ok(result instanceof RetryableError, String(result));
      assert.deepEqual(names, ['ca']);
    });
  }

  it('access reviews are sent again once if the connection broke', async () => {
    assert.deepEqual(await ask(BROKEN, NO, YES), { result: true, names: ['ca', 'ca', '*'] });
    assert.deepEqual(await ask(BROKEN, BROKEN, YES), { result: BROKEN, names: ['ca', 'ca'] });
  });

  it('access reviews are not sent again if the API server returns an error', async () => {
    assert.deepEqual(await ask(REFUSED, YES), { result: REFUSED, names: ['ca'] });
  });
});
