// The admission handler with approval policies: when they are evaluated, with what, and what it answers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import { createReflectorMetrics } from '@countersign/common/runtime/reflector/reflector-metrics.ts';
import type { ReviewAnswer } from '../../support/admission-answers.ts';
import { review } from '../../support/admission-reviews.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';
import { GRANTED } from './admission-cluster.ts';
import { type ClusterState, WebhookFixture } from './webhook-fixture.ts';

const webhook = new WebhookFixture();

async function ask(body: unknown, cluster: ClusterState): Promise<ReviewAnswer['response']> {
  webhook.reset(cluster);
  const { body: answer } = await webhook.handle(body);
  return (JSON.parse(JSON.stringify(answer)) as ReviewAnswer).response;
}

const SPEC: ApprovalPolicySpec = {
  signerNames: ['issuers.cert-manager.io/sandbox.*'],
  subjects: [{ kind: 'User', name: 'jane' }],
  allowed: { usages: ['client auth'] },
};

/** A cache that has listed this policy, or is still waiting for the list. */
async function cacheOf(t: { after: (done: () => Promise<void>) => void }, spec: ApprovalPolicySpec | 'not listed') {
  const list = { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'web', uid: 'u' }, spec }] };
  const never = new Promise<never>(() => undefined);
  const client = new RecordingClient(() => (spec === 'not listed' ? never : list));
  const cache = new PolicyCache({ client, log: TEST_LOG, metrics: createReflectorMetrics(createRegistry()) });
  const stop = new AbortController();
  const running = cache.reflector.run(stop.signal);
  t.after(async () => {
    stop.abort();
    if (spec !== 'not listed') await running;
  });
  if (spec !== 'not listed') await until(() => cache.policies() !== undefined);
  return cache;
}

describe('a CSR that no approval policy allows', () => {
  test('a CSR that no approval policy allows is denied with 403, the reason and the nearest policy', async t => {
    const { allowed, status } = await ask(review(), {
      ...GRANTED,
      approvals: { cache: await cacheOf(t, SPEC), mode: 'deny' },
    });
    assert.deepEqual([allowed, status?.code, status?.reason], [false, 403, 'PolicyMismatch']);
    assert.match(
      status?.message ?? '',
      /^spec: ApprovalPolicy web does not allow this request: .*kubectl edit approvalpolicy web/,
    );
    assert.deepEqual(
      status?.details?.causes.map(({ reason, field }) => [reason, field]),
      [['PolicyMismatch', 'spec']],
    );
  });

  test('a CSR that no approval policy allows is admitted with a warning in the mode warn', async t => {
    const { allowed, warnings } = await ask(review(), {
      ...GRANTED,
      approvals: { cache: await cacheOf(t, SPEC), mode: 'warn' },
    });
    assert.equal(allowed, true);
    assert.match(warnings?.[0] ?? '', /^ApprovalPolicy web does not allow this request: /);
    assert.ok((warnings?.[0] ?? '').length <= 256);
  });

  test('a CSR that no approval policy allows is admitted while it is not known which policies there are', async t => {
    const approvals = { cache: await cacheOf(t, 'not listed'), mode: 'deny' } as const;
    const { allowed, warnings } = await ask(review(), { ...GRANTED, approvals });
    assert.deepEqual([allowed, warnings], [true, undefined]);
  });

  test('a CSR that no approval policy allows is judged for the requester in userInfo, not for the one in the object', async t => {
    const approvals = { cache: await cacheOf(t, SPEC), mode: 'deny' } as const;
    const { status } = await ask(review({ userInfo: { username: 'joe' } }), { ...GRANTED, approvals });
    assert.match(status?.message ?? '', /No ApprovalPolicy selects requests of joe for signer/);
  });
});

test('a requester who may not use the issuer learns nothing about the approval policies', async t => {
  const approvals = { cache: await cacheOf(t, SPEC), mode: 'deny' } as const;
  const { status } = await ask(review(), { ...GRANTED, answer: () => ({ status: { allowed: false } }), approvals });
  assert.equal(status?.reason, 'DeniedReference');
  assert.doesNotMatch(JSON.stringify(status), /Policy/);
});
