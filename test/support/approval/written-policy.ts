// Approval policies for tests: a spec in, a compiled policy out. Signer, requester and usages have defaults, so that a
// case says only what it is about.

import { createCelCompiler } from '@countersign/common/approval/cel/cel-program.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { compilePolicy } from '@countersign/common/approval/policy/compile-policy.ts';
import type { CompiledPolicy } from '@countersign/common/approval/policy/compiled-policy.ts';

const CEL = createCelCompiler();

export const EVERYONE: ApprovalPolicySpec = {
  signerNames: ['issuers.cert-manager.io/team-a.*'],
  subjects: [{ kind: 'Group', name: 'system:authenticated' }],
};

const USAGES = ['digital signature', 'key encipherment', 'server auth', 'client auth'];

/** Usages are allowed unless the spec speaks of them, or `allowed` is null. */
export function completeSpec(spec: ApprovalPolicySpec): ApprovalPolicySpec {
  if ((spec.allowed as unknown) === null) return { ...EVERYONE, ...spec };
  return { ...EVERYONE, ...spec, allowed: { usages: USAGES, ...spec.allowed } };
}

export function compiledPolicy(name: string, spec: ApprovalPolicySpec): CompiledPolicy {
  return compilePolicy({ metadata: { name, uid: `uid-of-${name}` }, spec }, CEL);
}
