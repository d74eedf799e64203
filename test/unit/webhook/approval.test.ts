// What the approval policies mean for a request at its creation: whether it is denied, warned about or left to people.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluate } from '@countersign/common/approval/evaluate.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { approverSelector } from '@countersign/common/approval/policy/select-policies.ts';
import { askedBy } from '@countersign/common/approval/request/judged-request.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { type ApprovalOpinion, judgeApproval } from '@countersign/webhook/approval.ts';
import { compileAll } from '../../support/approval/evaluation-cases.ts';
import { writtenCsr } from '../../support/approval/written-request.ts';

const CSR = writtenCsr({ names: ['dns:api.team-a.svc'] });
const ASKED = askedBy(CSR);

function opinionOn(policies: Readonly<Record<string, ApprovalPolicySpec>>, mode: 'warn' | 'deny'): ApprovalOpinion {
  const compiled = compileAll(policies);
  const isSignerNamed = compiled.some(approverSelector(ASKED.signerName));
  const evaluation = evaluate(compiled, toRequestedCertificate(CSR, PERMISSIVE_POLICY), ASKED);
  return judgeApproval({ ...evaluation, isSignerNamed }, ASKED, mode);
}

const allowing = (...values: string[]): ApprovalPolicySpec => ({ allowed: { dnsNames: { values } } });
const JANE: ApprovalPolicySpec = { subjects: [{ kind: 'User', name: 'jane' }] };
const GUARD: ApprovalPolicySpec = {
  onMismatch: 'Deny',
  allowed: null as never,
  rules: [{ rule: 'request.isCA', message: 'only CAs' }],
};
const INVALID: ApprovalPolicySpec = { rules: [{ rule: 'nonsense(' }] };

/** `deny reason: message; remedy`, `warn: text` or `none`. */
const CASES: readonly (readonly [name: string, Record<string, ApprovalPolicySpec>, RegExp])[] = [
  ['that a policy allows is left alone', { web: allowing('*.team-a.svc') }, /^none$/],
  ['for a signer without policies is left to people', {}, /^none$/],
  ['for a signer with nothing but a guard is left to people', { ca: { ...GUARD, ...JANE } }, /^none$/],
  [
    'for a signer that only policies in DryRun mode name is left to people',
    { web: { ...allowing('x'), mode: 'DryRun' } },
    /^none$/,
  ],
  [
    'that the nearest policy does not allow is denied with what it wants, and who can change it',
    { far: { ...allowing('x'), rules: [{ rule: 'request.isCA', message: 'only CAs' }] }, near: allowing('x') },
    /^deny PolicyMismatch: ApprovalPolicy near does not allow this request: spec\.allowed\.dnsNames\.values: "api\.team-a\.svc" is not allowed, wanted: x \(of 2, the nearest\); create a request that it allows, or ask an administrator who may update the policy: kubectl edit approvalpolicy near$/,
  ],
  [
    'of a requester whom no policy for the signer names is denied',
    { web: { ...allowing('*'), ...JANE } },
    /^deny NoApprovalPolicy: No ApprovalPolicy selects requests of system:serviceaccount:team-a:web for signer issuers\.cert-manager\.io\/team-a\.ca; ask an administrator who may update approvalpolicies to add the requester to the subjects of one for this signer$/,
  ],
  [
    'that a guard denies is denied, although another policy allows it',
    { web: allowing('*'), ca: GUARD },
    /^deny DeniedByPolicy: ApprovalPolicy ca does not allow this request: spec\.rules\[0\]: only CAs\. Create a new request that it allows; or ask an administrator who may update the policy: kubectl edit approvalpolicy ca$/,
  ],
  ['that an invalid policy may be meant for is warned about', { web: INVALID }, /^warn: ApprovalPolicy web is invalid/],
  [
    'that an invalid policy may be meant for is warned about, although another policy has a mismatch',
    { web: INVALID, api: allowing('x') },
    /^warn: ApprovalPolicy api does not allow this request/,
  ],
  [
    'that an invalid guard holds back is warned about',
    { web: allowing('*'), ca: { ...GUARD, ...INVALID } },
    /^warn: ApprovalPolicy ca has onMismatch: Deny and is invalid/,
  ],
  ['that a guard denies is denied, although another policy is invalid', { web: INVALID, ca: GUARD }, /^deny Denied/],
];

function show(opinion: ApprovalOpinion): string {
  if (opinion.kind !== 'deny') return opinion.kind === 'warn' ? `warn: ${opinion.warning}` : 'none';
  const { code, causes } = opinion.decision;
  assert.equal(code, 403);
  return causes.map(({ reason, message, remedy }) => `deny ${reason}: ${message}; ${remedy}`).join('\n');
}

describe('a request', () => {
  for (const [name, policies, expected] of CASES) {
    it(name, () => assert.match(show(opinionOn(policies, 'deny')), expected));
    it(`${name}, or warned about at most in the mode warn`, () => {
      const { kind } = opinionOn(policies, 'warn');
      assert.equal(kind, show(opinionOn(policies, 'deny')) === 'none' ? 'none' : 'warn');
    });
  }
});
