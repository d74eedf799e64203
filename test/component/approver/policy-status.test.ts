// The Ready condition of an ApprovalPolicy, and when it is written.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readyCondition, writePolicyStatus } from '@countersign/approver/policy-status.ts';
import { createCelCompiler } from '@countersign/common/approval/cel/cel-program.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { toPolicyRecord } from '@countersign/common/approval/policy/policy-record.ts';
import type { Condition } from '@countersign/common/csr.ts';
import { completeSpec } from '../../support/approval/written-policy.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { NOW, SCOPE } from './approver-harness.ts';

const CEL = createCelCompiler();

function record(spec: ApprovalPolicySpec, conditions: readonly Condition[] = []) {
  const metadata = { name: 'web', uid: 'u', resourceVersion: '5', generation: 2 };
  return toPolicyRecord({ metadata, spec, status: { conditions } }, CEL);
}

const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Enforce',
  message: 'The policy is in use',
  observedGeneration: 2,
} as const;

async function write(spec: ApprovalPolicySpec, conditions: readonly Condition[] = []) {
  const client = new RecordingClient();
  const deps = { client, scope: SCOPE, isLeading: () => true, now: () => NOW };
  await writePolicyStatus(deps, record(spec, conditions));
  return client.calls;
}

describe('the condition Ready', () => {
  it('the condition Ready is written on condition that the policy has not changed', async () => {
    assert.deepEqual(await write(completeSpec({})), [
      {
        verb: 'mergePatch',
        path: '/apis/approval.countersign.io/v1alpha1/approvalpolicies/web/status?fieldManager=countersign-approver',
        body: {
          metadata: { uid: 'u', resourceVersion: '5' },
          status: { conditions: [{ ...READY, lastTransitionTime: '2026-11-30T12:00:00Z' }] },
        },
      },
    ]);
  });

  it('the condition Ready is not written a second time', async () =>
    assert.deepEqual(await write(completeSpec({}), [{ ...READY, lastTransitionTime: '2026-01-01T00:00:00Z' }]), []));

  it('the condition Ready keeps its time while the status stays, and the conditions of others', async () => {
    const other = { type: 'Reviewed', status: 'True' };
    const old = { ...READY, observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' };
    const [call] = await write(completeSpec({}), [old, other]);
    const body = call?.body as { status: { conditions: unknown } } | undefined;
    assert.deepEqual(body?.status.conditions, [other, { ...READY, lastTransitionTime: '2026-01-01T00:00:00Z' }]);
  });

  it('the condition Ready says what is wrong with the policy, all of it', () => {
    const ready = readyCondition(record(completeSpec({ rules: [{ rule: 'x' }, { rule: '1' }] })), SCOPE);
    assert.deepEqual([ready.status, ready.reason], ['False', 'Invalid']);
    assert.match(
      ready.message ?? '',
      /^spec\.rules\[0\]\.rule: unknown variable x.*; spec\.rules\[1\]\.rule: the result/,
    );
  });

  it('the condition Ready says that a policy in DryRun mode changes nothing', () =>
    assert.equal(
      readyCondition(record(completeSpec({ mode: 'DryRun' })), SCOPE).message,
      'The policy is evaluated, but changes nothing',
    ));

  it('the condition Ready names the signers for which the approver has no permission', () =>
    assert.match(
      readyCondition(record(completeSpec({ signerNames: ['clusterissuers.cert-manager.io/company'] })), SCOPE)
        .message ?? '',
      /in use; the approver may not approve requests for clusterissuers\.cert-manager\.io\/company: add them to approver/,
    ));
});

it('a policy whose spec has other types than the CRD has is invalid, and does not count as absent', () => {
  const spec = { onMismatch: 'Deny', signerNames: 7, subjects: {} } as unknown as ApprovalPolicySpec;
  const { compiled } = record(spec);
  assert.equal(compiled.onMismatch, 'Deny');
  assert.equal(compiled.selection, undefined);
  assert.equal(compiled.mistakes.length, 1);
});
