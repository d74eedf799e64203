// When the approver writes its events: certificates come first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import { completeSpec } from '../../support/approval/written-policy.ts';
import { writtenCsr } from '../../support/approval/written-request.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { until } from '../../support/until.ts';
import { OWN_USERNAME, startApprover } from './approver-harness.ts';

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
  t.after(startApprover(client));
  const timeOf = (part: string) => written.find(({ path }) => path.includes(part))?.at;
  await until(() => timeOf('/events') !== undefined);
  const waited = (timeOf('/events') ?? 0) - (timeOf('/approval') ?? Number.POSITIVE_INFINITY);
  assert.ok(waited >= 950, `the event came ${Math.round(waited)} ms after the approval`);
});
