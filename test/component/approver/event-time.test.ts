// When the approver writes its events: certificates come first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controller } from '@countersign/approver/controller.ts';
import { ApproverMetrics } from '@countersign/approver/metrics.ts';
import { POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { completeSpec } from '../../support/approval/written-policy.ts';
import { writtenCsr } from '../../support/approval/written-request.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';
import { until } from '../../support/until.ts';
import { OWN_USERNAME, SCOPE } from './approver-harness.ts';

const CSRS = [writtenCsr()];
const POLICIES = [{ metadata: { name: 'web', uid: 'uid-of-web', generation: 1 }, spec: completeSpec({}) }];

test('the event of an approval is written when nothing was approved for a second', async t => {
  const written: { readonly path: string; readonly at: number }[] = [];
  const client = new RecordingClient(({ verb, path }: RecordedCall) => {
    if (verb === 'get')
      return { metadata: { resourceVersion: '1' }, items: path.startsWith(POLICY_PATH) ? POLICIES : CSRS };
    written.push({ path, at: performance.now() });
    return path.endsWith('selfsubjectreviews') ? { status: { userInfo: { username: OWN_USERNAME } } } : undefined;
  });
  const metrics = new ApproverMetrics(createRegistry());
  const options = { client, log: TEST_LOG, metrics, scope: SCOPE, requestPolicy: PERMISSIVE_POLICY, workers: 8 };
  const controller = new Controller(options);
  const stop = new AbortController();
  const running = Promise.all([controller.watch(stop.signal), controller.lead(soleLeadership(stop.signal))]);
  t.after(async () => {
    stop.abort();
    await running;
  });
  const timeOf = (part: string) => written.find(({ path }) => path.includes(part))?.at;
  await until(() => timeOf('/events') !== undefined);
  const waited = (timeOf('/events') ?? 0) - (timeOf('/approval') ?? Number.POSITIVE_INFINITY);
  assert.ok(waited >= 950, `the event came ${Math.round(waited)} ms after the approval`);
});
