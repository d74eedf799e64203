// The webhook's metrics in the Prometheus text format.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';

test('the durations of an admission and its access review are exported in seconds', async t => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const registry = createRegistry();
  const metrics = new WebhookMetrics(registry);
  const endAdmission = metrics.startAdmission();
  const endReview = metrics.startAccessReview();
  now = 125;
  endReview('granted');
  now = 250;
  assert.equal(endAdmission('allowed', ''), 250);
  const text = await registry.metrics();
  assert.match(text, /^countersign_webhook_access_review_duration_seconds_sum\{result="granted"\} 0\.125$/m);
  assert.match(text, /^countersign_webhook_admission_duration_seconds_sum\{answer="allowed"\} 0\.25$/m);
});
