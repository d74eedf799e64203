// A performance guard that counts work instead of time: API calls and memory for the certificate of a pod. What
// docs/scaling.md says about pods.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { toPodRecord } from '@countersign/signer/requests/pod-certificate/pod-record.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { buildPodRequest, buildStub, type PodRequestOrder } from '../../support/pod-request-builder.ts';
import { POD_PATCH as PATCH, PodHarness } from './pod-harness.ts';
import { REVIEW, SECRET } from './reconcile-harness.ts';

class CountingHarness extends PodHarness {
  constructor() {
    super({ logLevel: 'error' });
  }

  /** Reconciles a request that the signer has not seen before, also while it works on others. */
  async sign(order: PodRequestOrder = {}): Promise<void> {
    const record = toPodRecord(buildPodRequest(order), this.now);
    const view = { ...this.deps.view, findRecord: () => record };
    const { error } = await this.reconcile(0, { ...this.deps, view, ledger: new WriteLedger() });
    if (error !== undefined) throw error;
  }
}

describe('calls of the API server for a pod', () => {
  test('a certificate costs one review, one read of the Secret, one write and no event', async () => {
    const harness = new CountingHarness();
    await harness.sign();
    assert.deepEqual(harness.asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(harness.client.events, []);
  });

  test('pods with the same ServiceAccount and issuer share one review in a second, other ServiceAccounts do not', async () => {
    const harness = new CountingHarness();
    for (let run = 0; run < 10; run += 1) await harness.sign({ uid: `uid-${run}` });
    await harness.sign({ serviceAccountName: 'other' });
    const count = (call: string) => harness.asked.filter(asked => asked === call).length;
    assert.deepEqual([REVIEW, SECRET, PATCH].map(count), [2, 1, 11]);
  });

  test('pods that start at the same time share the review that is in progress', async () => {
    const harness = new CountingHarness();
    await Promise.all(Array.from({ length: 10 }, (_, index) => harness.sign({ uid: `uid-${index}` })));
    const count = (call: string) => harness.asked.filter(asked => asked === call).length;
    assert.deepEqual([REVIEW, SECRET, PATCH].map(count), [1, 1, 10]);
  });

  test('a request without the permission costs two reviews and two events, and writes nothing to the request', async () => {
    const harness = new CountingHarness();
    harness.mayReference = [];
    await harness.sign();
    assert.deepEqual(harness.client.writes, []);
    assert.equal(harness.asked.filter(asked => asked === REVIEW).length, 2);
    assert.deepEqual(
      harness.client.events.map(event => event.replace(/:.*/, '')),
      ['Warning DeniedReference', 'Warning DeniedReference'],
    );
  });
});

describe('memory for a pod', () => {
  // Measured: 200 to 210 kB, including the test's client and harness; up to 340 kB before the compiler has optimized.
  const MOST_BYTES = 300_000;

  test('issuing a certificate allocates no more memory than the limit', async () => {
    const harness = new CountingHarness();
    const stub = buildStub();
    const sign = async (count: number) => {
      const before = getHeapStatistics().total_allocated_bytes;
      for (let run = 0; run < count; run += 1) await harness.sign({ uid: `uid-${run}`, stub });
      return (getHeapStatistics().total_allocated_bytes - before) / count;
    };
    await sign(1_500);
    const bytes = await sign(500);
    assert.ok(bytes < MOST_BYTES, `${Math.round(bytes)} bytes per certificate`);
  });
});
