// Whether cert-manager counts as running, according to its Lease.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import { CertManagerPresence } from '@countersign/signer/issuer-status/cert-manager-presence.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

function lease(secondsAgo: number, spec: object = {}) {
  const renewTime = new Date(NOW - secondsAgo * 1000).toISOString().replace('Z', '000Z');
  return {
    metadata: { resourceVersion: '1' },
    spec: { holderIdentity: 'x', leaseDurationSeconds: 60, renewTime, ...spec },
  };
}

/** Polls once, with these Leases by namespace. */
async function ask(leases: Record<string, unknown> | RetryableError) {
  const client = new RecordingClient(({ path }) => {
    if (leases instanceof RetryableError) throw leases;
    return leases[path.split('/')[5] ?? ''];
  });
  const presence = new CertManagerPresence(client, TEST_LOG, () => new Date(NOW));
  const stop = new AbortController();
  let changes = 0;
  const running = presence.run(stop.signal, () => (changes += 1));
  await new Promise(resolve => setImmediate(resolve));
  stop.abort();
  await running;
  return { isPresent: presence.isPresent, changes, paths: client.calls.map(({ path }) => path) };
}

describe('cert-manager', () => {
  const rows: Record<string, readonly [Record<string, unknown>, boolean]> = {
    'is absent without its Lease': [{}, false],
    'is present with a fresh Lease in kube-system': [{ 'kube-system': lease(5) }, true],
    'is present with a fresh Lease in its own namespace': [{ 'cert-manager': lease(5) }, true],
    'is present up to twice the duration of its Lease': [{ 'cert-manager': lease(119) }, true],
    'is absent when its Lease expired': [{ 'kube-system': lease(120), 'cert-manager': lease(9_999) }, false],
    'is present with one fresh and one old Lease': [{ 'kube-system': lease(9_999), 'cert-manager': lease(1) }, true],
    'is absent after it released its Lease': [{ 'kube-system': lease(1, { holderIdentity: '' }) }, false],
    'is absent with a Lease that was never renewed': [
      { 'kube-system': { metadata: {}, spec: { holderIdentity: 'x' } } },
      false,
    ],
  };
  for (const [what, [leases, expected]] of Object.entries(rows)) {
    it(`cert-manager ${what}`, async () => {
      const { isPresent, changes, paths } = await ask(leases);
      assert.deepEqual([isPresent, changes], [expected, 1]);
      assert.deepEqual(
        paths,
        ['kube-system', 'cert-manager'].map(
          namespace => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/cert-manager-controller`,
        ),
      );
    });
  }

  it('cert-manager counts as present while its Lease cannot be read', async () => {
    const { isPresent, changes } = await ask(new RetryableError('403', { code: 'forbidden' }));
    assert.deepEqual([isPresent, changes], [true, 0]);
  });
});
