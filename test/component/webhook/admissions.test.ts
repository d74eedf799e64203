// The webhook's answers over HTTPS: one case of each kind. All other cases are in test/unit/webhook, without a server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { REQUEST_DURATION as DURATION, REQUEST_IS_CA as IS_CA } from '@countersign/common/annotations.ts';
import {
  assertAnswer,
  BAD_DURATION,
  BAD_USAGES,
  DENIED,
  DURATION_FIELD,
  locked,
} from '../../support/admission-answers.ts';
import { CLUSTER, csr, ISSUERS, reviewOf } from '../../support/admission-reviews.ts';
import {
  api,
  type Case,
  describeCall,
  failing,
  GRANTED,
  NOT_ANSWERED,
  network,
  READ_SECRET,
  REVIEW_CA,
  REVIEW_STAR,
} from './admission-cluster.ts';
import { WebhookFixture } from './webhook-fixture.ts';

const webhook = new WebhookFixture();
before(() => webhook.start());
after(() => webhook.stop());

const CASES: readonly Case[] = [
  { name: 'a permitted requester is admitted', allowed: true, calls: [REVIEW_CA, READ_SECRET] },
  {
    name: 'a missing issuer gets a warning',
    cluster: { issuers: {}, answer: api(['ca']) },
    allowed: true,
    warnings: ['Issuer sandbox/ca does not exist; the request waits until it is created'],
    calls: [REVIEW_CA],
  },
  {
    name: 'a requester without permission is denied with the Role that grants it, and no Secret is read',
    cluster: { issuers: ISSUERS, answer: api([]) },
    ...DENIED,
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'a dry run gets the same answer',
    request: { dryRun: true },
    cluster: { issuers: ISSUERS, answer: api([]) },
    ...DENIED,
    calls: [REVIEW_CA, REVIEW_STAR],
  },
  {
    name: 'all errors are reported in one answer',
    create: { signerName: CLUSTER, annotations: { [DURATION]: 'foo' }, usages: ['foo'] },
    allowed: { code: 422, reason: 'ErrorParseDuration', message: `${BAD_DURATION}\n${BAD_USAGES}` },
    causes: [`ErrorParseDuration ${DURATION_FIELD}`, 'SigningError spec.usages'],
    calls: [],
  },
  {
    name: 'an access review that fails twice denies the request, and the answer does not show the cause',
    cluster: failing(network),
    ...NOT_ANSWERED,
    calls: [REVIEW_CA, REVIEW_CA],
  },
  {
    name: 'an unexpected error denies the request, and the answer does not show the cause',
    cluster: failing(() => {
      throw new TypeError('secret detail');
    }),
    allowed: { code: 500, reason: 'InternalError', message: 'the webhook failed to evaluate the request; try again' },
    calls: [REVIEW_CA],
  },
  {
    name: 'a request for another signer is not validated',
    create: { signerName: 'kubernetes.io/kubelet-serving', annotations: { [DURATION]: 'foo' }, request: 'rubbish' },
    allowed: true,
    calls: [],
  },
  {
    name: 'a change of a locked annotation through /status is denied',
    update: {
      before: { conditions: ['Approved'] },
      after: { conditions: ['Approved'], annotations: { [IS_CA]: 'true' } },
      subResource: 'status',
    },
    ...locked(IS_CA),
    calls: [],
  },
  {
    name: 'DELETE is always allowed',
    request: { operation: 'DELETE', object: null, oldObject: csr() },
    allowed: true,
    calls: [],
  },
];

describe('over HTTPS', () => {
  for (const item of CASES) {
    test(item.name, async () => {
      webhook.reset(item.cluster ?? GRANTED);
      const { status, body } = await webhook.post(reviewOf(item));
      assert.equal(status, 200);
      assertAnswer(body, item);
      assert.deepEqual(webhook.client.calls.map(describeCall), item.calls);
      assert.equal(webhook.logs.filter(({ msg }) => msg === 'admission').length, 1);
    });
  }
});

test('admissions are counted by answer and reason', async () => {
  const text = await webhook.registry.metrics();
  assert.match(text, /countersign_webhook_admissions_total\{answer="allowed",reason=""\} [1-9]/);
  assert.match(text, /countersign_webhook_admissions_total\{answer="denied",reason="DeniedReference"\} [1-9]/);
  assert.match(text, /countersign_webhook_admissions_total\{answer="error",reason="AccessReviewFailed"\} [1-9]/);
  assert.match(text, /countersign_webhook_access_review_duration_seconds_count\{result="missing"\} [1-9]/);
  assert.match(text, /countersign_webhook_admissions_in_flight 0/);
});
