// A performance guard that counts work instead of time: API calls per decision and of an idle approver, and memory per
// evaluation. What docs/scaling.md says about approval.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { writtenCsr } from '../../support/approval/written-request.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { ApproverHarness, OWN_USERNAME, startApprover } from './approver-harness.ts';

const CSR = '/apis/certificates.k8s.io/v1/certificatesigningrequests/web-1';
const WRITE = `mergePatch ${CSR}/approval?fieldManager=countersign-approver`;

const asked = ({ calls }: RecordingClient) => calls.map(({ verb, path }) => `${verb} ${path}`);

/** Selects every request, and allows none of these. */
const OTHER = { allowed: { dnsNames: { values: ['other.example.com'] }, usages: [] } };

describe('API calls', () => {
  test('an approval costs one write and one event', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    await harness.run();
    assert.deepEqual([asked(harness.client), harness.events.length], [[WRITE], 1]);
  });

  test('a denial costs one read of the policies, one write and one event', async () => {
    let reads = 0;
    const readPolicies = async () => {
      reads += 1;
      return harness.deps.policies() ?? [];
    };
    const harness: ApproverHarness = new ApproverHarness(
      writtenCsr({ isCA: true }),
      { guard: { onMismatch: 'Deny' } },
      { readPolicies },
    );
    await harness.run();
    assert.deepEqual([reads, asked(harness.client), harness.events.length], [1, [WRITE], 1]);
  });

  test('a request that no policy allows costs one event', async () => {
    const harness = new ApproverHarness(writtenCsr(), { other: OTHER });
    await harness.run();
    assert.deepEqual([asked(harness.client), harness.events.length], [[], 1]);
  });

  test('a retry costs one read more', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    harness.client.answer = ({ verb }) => (verb === 'get' ? writtenCsr() : undefined);
    await harness.run(1);
    assert.deepEqual(asked(harness.client), [`get ${CSR}`, WRITE]);
  });

  test('an idle approver asks for its name and lists two collections once, and then only watches', async () => {
    const client = new RecordingClient(({ verb }) =>
      verb === 'get'
        ? { metadata: { resourceVersion: '1' }, items: [] }
        : { status: { userInfo: { username: OWN_USERNAME } } },
    );
    const stop = startApprover(client);
    await sleep(1_000);
    await stop();
    const names = client.calls.map(({ path }) => path.replace(/\?.*/, '').split('/').at(-1));
    assert.deepEqual(
      names.toSorted((a = '', b = '') => a.localeCompare(b)),
      ['approvalpolicies', 'certificatesigningrequests', 'selfsubjectreviews'],
    );
  });
});

describe('memory', () => {
  // Measured: 350 to 390 kB.
  const MOST_BYTES = 500_000;

  test('an approval with 100 policies that select the request allocates no more memory than the limit', async () => {
    const others = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`other-${index}`, OTHER]));
    const harness = new ApproverHarness(writtenCsr(), { ...others, web: {} });
    const count = 100;
    const approve = async () => {
      const before = getHeapStatistics().total_allocated_bytes;
      for (let run = 0; run < count; run += 1) assert.equal((await harness.run()).kind, 'approved');
      return (getHeapStatistics().total_allocated_bytes - before) / count;
    };
    await approve();
    const bytes = await approve();
    assert.ok(bytes < MOST_BYTES, `${Math.round(bytes)} bytes per approval`);
  });
});
