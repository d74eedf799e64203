import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ApiContact } from '@countersign/common/runtime/controller/api-contact.ts';
import { leaseTiming } from '@countersign/common/runtime/controller/lease-timing.ts';

it('a Lease of 15 s uses the timing of client-go, with a request timeout that leaves time for a retry', () => {
  assert.deepEqual(leaseTiming(15_000), { termMs: 10_000, retryMs: 2_000, timeoutMs: 5_000 });
});

for (const durationMs of [5_000, 15_000, 60_000, 300_000]) {
  it(`one lost renewal of a Lease of ${durationMs / 1000} s costs neither leadership nor readiness`, () => {
    const { termMs, retryMs, timeoutMs } = leaseTiming(durationMs);
    assert.ok(retryMs + timeoutMs < termMs);
    let now = 0;
    const contact = new ApiContact(() => now);
    now += retryMs + timeoutMs;
    assert.deepEqual(contact.problems(), []);
  });
}

it('a replica without an answer for more than 15 s reports that until it gets one', () => {
  let now = 1_000;
  const contact = new ApiContact(() => now);
  now += 15_000;
  assert.deepEqual(contact.problems(), []);
  now += 1_400;
  assert.deepEqual(contact.problems(), ['API server: no answer to a read or write for 16 s']);
  contact.recordAnswer();
  assert.deepEqual(contact.problems(), []);
});
