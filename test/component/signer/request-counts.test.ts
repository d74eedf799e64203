// A performance guard that counts work instead of time: API calls per request, and of an idle signer. A number that
// changes here changes the load on every cluster.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { createController } from './controller-harness.ts';
import { ISSUER, REVIEW, SECRET } from './reconcile-harness.ts';
import { PATCH, SignerHarness } from './signer-harness.ts';

describe('API calls', () => {
  test('a certificate costs one review, one read of the Secret, one write and one event', async () => {
    const harness = new SignerHarness();
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH]);
    assert.equal(harness.client.events.length, 1);
  });

  test('the Secret is read once for all certificates within one second', async () => {
    const harness = new SignerHarness();
    for (let run = 0; run < 10; run += 1) await harness.run();
    const count = (call: string) => harness.asked.filter(asked => asked === call).length;
    assert.deepEqual([REVIEW, SECRET, PATCH].map(count), [10, 1, 10]);
  });

  test('a refusal costs two reviews, one read of the issuer, one write and one event, and reads no Secret', async () => {
    const harness = new SignerHarness();
    harness.mayReference = [];
    await harness.run();
    assert.deepEqual(harness.asked, [REVIEW, REVIEW, ISSUER, PATCH]);
    assert.equal(harness.client.events.length, 1);
  });

  test('an idle signer lists three collections once and then only watches', async () => {
    const client = new RecordingClient(({ verb, path }) =>
      verb === 'get' && !path.includes('/leases/') ? { metadata: { resourceVersion: '1' }, items: [] } : undefined,
    );
    const stop = new AbortController();
    const controller = createController(client, { workers: 1, issuerStatus: 'auto' });
    const running = Promise.all([controller.watch(stop.signal), controller.lead(soleLeadership(stop.signal))]);
    // Longer than the interval at which Secrets of waiting requests are polled.
    await sleep(1_200);
    stop.abort();
    await running;
    const nameOf = (path: string) => path.replace(/\?.*/, '').split('/').at(-1) ?? '';
    const asked = client.calls.map(({ path }) => nameOf(path)).toSorted((a, b) => a.localeCompare(b));
    // The Lease of cert-manager's controller is looked up in two namespaces.
    const leases = ['cert-manager-controller', 'cert-manager-controller'];
    assert.deepEqual(asked, [...leases, 'certificatesigningrequests', 'clusterissuers', 'issuers']);
  });
});

describe('memory', () => {
  // Measured: 200 to 215 kB, including the test's client and harness, depending on compiler optimizations.
  const MOST_BYTES = 240_000;

  test('issuing a certificate allocates no more memory than the limit', async () => {
    // The harness would parse each log line.
    const harness = new SignerHarness({ logLevel: 'error' });
    const count = 300;
    const sign = async () => {
      const before = getHeapStatistics().total_allocated_bytes;
      for (let run = 0; run < count; run += 1) await harness.run();
      return (getHeapStatistics().total_allocated_bytes - before) / count;
    };
    await sign();
    const bytes = await sign();
    assert.ok(bytes < MOST_BYTES, `${Math.round(bytes)} bytes per certificate`);
  });
});
