// The texts of conditions and events: which policy decided, or what the nearest one wants.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explain, explainDryRun } from '@countersign/common/approval/explain.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { askedBy } from '@countersign/common/approval/request/judged-request.ts';
import { compileAll, evaluateCsr } from '../../support/approval/evaluation-cases.ts';
import { type WrittenRequest, writtenCsr } from '../../support/approval/written-request.ts';

type Policies = Readonly<Record<string, ApprovalPolicySpec>>;

function evaluation(policies: Policies, request: WrittenRequest) {
  const csr = writtenCsr(request);
  return { evaluated: evaluateCsr(compileAll(policies), csr), asked: askedBy(csr) };
}

function explained(policies: Policies, request: WrittenRequest = {}): string {
  const { evaluated, asked } = evaluation(policies, request);
  const { reason, message } = explain(evaluated, asked);
  return `${reason}: ${message}`;
}

describe('an explanation', () => {
  it('an explanation names the policy that approves', () =>
    assert.equal(explained({ web: {} }), 'ApprovedByPolicy: ApprovalPolicy web allows this request'));

  it('an explanation names the policy that denies, the rule, the value seen and the value wanted', () =>
    assert.equal(
      explained({ guard: { onMismatch: 'Deny' } }, { isCA: true }),
      'DeniedByPolicy: ApprovalPolicy guard does not allow this request: spec.allowed.isCA: "true" is not allowed, wanted: false. Create a new request that it allows',
    ));

  it('an explanation says what is missing for the nearest policy', () =>
    assert.equal(
      explained(
        { far: {}, near: { allowed: { dnsNames: { values: ['*.{{namespace}}.svc'] }, commonName: { value: '*' } } } },
        { subject: ['CN=x'], names: ['dns:a.team-b.svc'] },
      ),
      'PolicyMismatch: ApprovalPolicy near does not allow this request: spec.allowed.dnsNames.values: "a.team-b.svc" is not allowed, wanted: *.team-a.svc (of 2, the nearest)',
    ));

  it('an explanation shows three mismatches, and counts the others', () =>
    assert.match(
      explained({ web: {} }, { names: ['dns:a', 'dns:b', 'dns:c', 'dns:d', 'dns:e'] }),
      /"a" is .*"b" is .*"c" is not allowed, wanted: none; and 2 more$/,
    ));

  it('an explanation says that no policy selects the request, and who asked for what', () =>
    assert.equal(
      explained({}, { requester: { username: 'jane' } }),
      'NoApprovalPolicy: No ApprovalPolicy selects requests of jane for signer issuers.cert-manager.io/team-a.ca: add one, or approve the request by hand',
    ));

  it('an explanation names an invalid guard, which holds the request back', () =>
    assert.match(
      explained({ guard: { onMismatch: 'Deny', rules: [{ rule: '(' }] }, web: {} }),
      /^PolicyInvalid: ApprovalPolicy guard has onMismatch: Deny and is invalid/,
    ));

  it('an explanation says that the only policy is invalid', () =>
    assert.match(
      explained({ web: { rules: [{ rule: '(' }] } }),
      /^PolicyMismatch: ApprovalPolicy web is invalid: fix it/,
    ));

  it('an explanation gives the message of a rule', () =>
    assert.match(
      explained({ web: { rules: [{ rule: 'request.isCA', message: 'must be a CA' }] } }),
      /spec\.rules\[0\]: must be a CA$/,
    ));

  it('an explanation keeps long object identifiers short', () => {
    const oid = `1.2${'.2147483647'.repeat(400)}`;
    assert.ok(explained({ web: {} }, { subject: [`${oid}=x`] }).length < 700);
  });

  it('an explanation keeps long values short', () =>
    assert.ok(explained({ web: {} }, { names: [`dns:${'a'.repeat(5_000)}`] }).length < 600));
});

describe('the explanation of a policy in DryRun mode', () => {
  const dryRun = (spec: ApprovalPolicySpec, request: WrittenRequest = {}) =>
    evaluation({ dry: { mode: 'DryRun', ...spec } }, request).evaluated.perPolicy.map(explainDryRun);

  it('the explanation of a policy in DryRun mode says that it would approve', () =>
    assert.deepEqual(dryRun({}), ['ApprovalPolicy dry would approve this request']));
  it('the explanation of a policy in DryRun mode says that a guard would not deny', () =>
    assert.deepEqual(dryRun({ onMismatch: 'Deny', allowed: null as never }), [
      'ApprovalPolicy dry would not deny this request',
    ]));
  it('the explanation of a policy in DryRun mode says that it would deny, and why', () =>
    assert.match(dryRun({ onMismatch: 'Deny' }, { isCA: true })[0] ?? '', /would deny this request: .*isCA/));
  it('the explanation of a policy in DryRun mode says that it would leave the request waiting, and why', () =>
    assert.match(dryRun({}, { isCA: true })[0] ?? '', /would leave this request waiting: .*isCA/));
});
