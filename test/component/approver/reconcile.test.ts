// One run for one CSR: the exact requests to the API server, and the exact events, none included.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { writtenCsr } from '../../support/approval/written-request.ts';
import { ApproverHarness, OWN_USERNAME } from './approver-harness.ts';

const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests/web-1';
const TIME = '2026-11-30T12:00:00Z';

function patch(type: string, reason: string, message: string) {
  const condition = { type, status: 'True', reason, message, lastUpdateTime: TIME, lastTransitionTime: TIME };
  return {
    verb: 'mergePatch',
    path: `${PATH}/approval?fieldManager=countersign-approver`,
    body: { metadata: { uid: 'uid-of-web-1', resourceVersion: '7' }, status: { conditions: [condition] } },
  };
}

describe('a CSR', () => {
  it('that a policy allows is approved, on condition that it has not changed', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    assert.deepEqual(await harness.run(), { kind: 'approved' });
    const message = 'ApprovalPolicy web allows this request';
    assert.deepEqual(harness.client.calls, [patch('Approved', 'ApprovedByPolicy', message)]);
    assert.deepEqual(harness.events, [`Normal ApprovedByPolicy: ${message}`]);
  });

  it('that a guard does not allow is denied, with the reason', async () => {
    const harness = new ApproverHarness(writtenCsr({ isCA: true }), { guard: { onMismatch: 'Deny' } });
    assert.deepEqual(await harness.run(), { kind: 'denied' });
    const message =
      'ApprovalPolicy guard does not allow this request: spec.allowed.isCA: "true" is not allowed, wanted: false. Create a new request that it allows';
    assert.deepEqual(harness.client.calls, [patch('Denied', 'DeniedByPolicy', message)]);
    assert.deepEqual(harness.events, [`Warning DeniedByPolicy: ${message}`]);
  });

  it('a CSR is not denied by a policy that was deleted a moment ago', async () => {
    const csr = writtenCsr({ isCA: true });
    const harness = new ApproverHarness(csr, { guard: { onMismatch: 'Deny' } }, { readPolicies: async () => [] });
    assert.deepEqual(await harness.run(), { kind: 'waiting', reason: 'NoApprovalPolicy' });
    assert.deepEqual(harness.client.calls, []);
  });

  it('that no policy allows waits, with an event that says what is missing', async () => {
    const harness = new ApproverHarness(writtenCsr({ isCA: true }), { web: {} });
    assert.deepEqual(await harness.run(), { kind: 'waiting', reason: 'PolicyMismatch' });
    assert.deepEqual(harness.client.calls, []);
    assert.deepEqual(harness.events, [
      'Warning PolicyMismatch: ApprovalPolicy web does not allow this request: spec.allowed.isCA: "true" is not allowed, wanted: false',
    ]);
  });

  it('that no policy selects waits, with an event that says so', async () => {
    const harness = new ApproverHarness(writtenCsr());
    assert.deepEqual(await harness.run(), { kind: 'waiting', reason: 'NoApprovalPolicy' });
    assert.deepEqual(harness.client.calls, []);
    assert.match(harness.events.join(), /^Warning NoApprovalPolicy: No ApprovalPolicy selects requests of system:/);
  });

  it('for which a policy is tried out gets an event, and nothing else', async () => {
    const harness = new ApproverHarness(writtenCsr(), { dry: { mode: 'DryRun' } });
    assert.deepEqual(await harness.run(), { kind: 'waiting', reason: 'NoApprovalPolicy' });
    assert.deepEqual(harness.client.calls, []);
    assert.equal(harness.events[0], 'Normal ApprovalDryRun: ApprovalPolicy dry would approve this request');
  });

  it('of the approver itself is never decided on', async () => {
    const own = writtenCsr({ requester: { username: OWN_USERNAME, groups: ['system:authenticated'] } });
    const harness = new ApproverHarness(own, { web: {}, guard: { onMismatch: 'Deny', allowed: { usages: [] } } });
    assert.deepEqual(await harness.run(), { kind: 'ignored' });
    assert.deepEqual([harness.client.calls, harness.events], [[], []]);
  });

  for (const [type, why] of [
    ['Approved', 'a person has approved'],
    ['Denied', 'a person has denied'],
    ['Failed', 'has failed'],
  ]) {
    it(`that ${why} is left alone`, async () => {
      const status = { conditions: [{ type: type ?? '', status: 'True' }] };
      const harness = new ApproverHarness({ ...writtenCsr(), status }, { web: {} });
      assert.deepEqual(await harness.run(), { kind: 'ignored' });
      assert.deepEqual([harness.client.calls, harness.events], [[], []]);
    });
  }

  for (const signerName of [
    'kubernetes.io/kube-apiserver-client',
    'kubernetes.io/kubelet-serving',
    'example.com/x',
    'clusterissuers.cert-manager.io/not-in-scope',
    'issuers.cert-manager.io/malformed',
  ]) {
    it(`for ${signerName} is left alone, whatever the policies say`, async () => {
      const policies = {
        web: { signerNames: [signerName] },
        guard: { signerNames: [signerName], onMismatch: 'Deny' },
      } as const;
      const harness = new ApproverHarness(writtenCsr({ signerName }), policies);
      assert.deepEqual(await harness.run(), { kind: 'ignored' });
      assert.deepEqual([harness.client.calls, harness.events], [[], []]);
    });
  }

  it('a CSR waits while it is not known which policies there are', async () => {
    const harness = new ApproverHarness(writtenCsr(), {}, { policies: () => undefined });
    await assert.rejects(harness.run(), RetryableError);
    assert.deepEqual([harness.client.calls, harness.events], [[], []]);
  });

  it('a CSR is left to the leader', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} }, { isLeading: () => false });
    assert.deepEqual(await harness.run(), { kind: 'ignored' });
    assert.deepEqual(harness.client.calls, []);
  });
});

describe('a CSR that changes while it is evaluated', () => {
  it('a CSR that changes while it is evaluated is read again and evaluated as it is then', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    harness.client.answer = () => {
      throw new RetryableError('conflict', { code: 'conflict' });
    };
    await assert.rejects(harness.run(), { code: 'conflict' });
    const changed = writtenCsr({ isCA: true });
    harness.client.answer = ({ verb }) =>
      verb === 'get' ? { ...changed, metadata: { ...changed.metadata, resourceVersion: '8' } } : undefined;
    assert.deepEqual(await harness.run(1), { kind: 'waiting', reason: 'PolicyMismatch' });
    assert.deepEqual(
      harness.client.calls.map(({ verb, path }) => `${verb} ${path.split('?')[0]}`),
      [`mergePatch ${PATH}/approval`, `get ${PATH}`],
    );
  });

  it('a CSR that changes while it is evaluated is approved in the version that was read again', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    const csr = writtenCsr();
    harness.client.answer = ({ verb }) =>
      verb === 'get' ? { ...csr, metadata: { ...csr.metadata, resourceVersion: '9' } } : undefined;
    assert.deepEqual(await harness.run(1), { kind: 'approved' });
    const body = harness.client.writes[0]?.body as { metadata: unknown } | undefined;
    assert.deepEqual(body?.metadata, { uid: 'uid-of-web-1', resourceVersion: '9' });
  });

  it('a CSR that changes while it is evaluated is ignored when a person was faster', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    const status = { conditions: [{ type: 'Denied', status: 'True' }] };
    harness.client.answer = ({ verb }) => (verb === 'get' ? { ...writtenCsr(), status } : undefined);
    assert.deepEqual(await harness.run(1), { kind: 'ignored' });
    assert.deepEqual(harness.client.writes, []);
  });

  it('a CSR that changes while it is evaluated is ignored when it is gone', async () => {
    const harness = new ApproverHarness(writtenCsr(), { web: {} });
    harness.client.answer = () => {
      throw new TerminalError('gone', { code: 'not-found' });
    };
    assert.deepEqual(await harness.run(), { kind: 'ignored' });
    assert.deepEqual(harness.events, []);
  });
});

it('an approval that the API server forbids is an error, without an event', async () => {
  const harness = new ApproverHarness(writtenCsr(), { web: {} });
  harness.client.answer = () => {
    throw new RetryableError('forbidden', { code: 'forbidden' });
  };
  await assert.rejects(harness.run(), { code: 'forbidden' });
  assert.deepEqual(harness.events, []);
});
