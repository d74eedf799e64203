// What is cached of each ApprovalPolicy: the compiled policy, and what its status says. Never fails: a policy that
// cannot be compiled must not count as absent, because it may be one that denies. Pure.

import type { Condition, ObjectMeta } from '../../csr.ts';
import type { CelCompiler } from '../cel/cel-program.ts';
import type { ApprovalPolicy } from './approval-policy.ts';
import { compilePolicy } from './compile-policy.ts';
import type { CompiledPolicy } from './compiled-policy.ts';

export interface PolicyRecord {
  readonly metadata: ObjectMeta;
  readonly compiled: CompiledPolicy;
  readonly signerNames: readonly string[];
  readonly conditions: readonly Condition[];
}

export function toPolicyRecord(raw: unknown, cel: CelCompiler): PolicyRecord {
  const policy = raw as ApprovalPolicy;
  const { name, uid, resourceVersion, generation } = policy.metadata;
  const metadata = {
    name,
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(generation !== undefined && { generation }),
  };
  return {
    metadata,
    compiled: compileSafely(policy, cel),
    signerNames: policy.spec?.signerNames ?? [],
    conditions: policy.status?.conditions ?? [],
  };
}

/** A spec with other types than the schema has can get here only while another schema is installed. */
function compileSafely(policy: ApprovalPolicy, cel: CelCompiler): CompiledPolicy {
  try {
    return compilePolicy(policy, cel);
  } catch {
    const { mode = 'Enforce', onMismatch = 'Wait' } = policy.spec ?? {};
    const empty = compilePolicy({ metadata: policy.metadata, spec: { mode, onMismatch } }, cel);
    return { ...empty, mistakes: [{ field: 'spec', message: 'does not have the types of the CRD: update the CRD' }] };
  }
}

type Version = Pick<PolicyRecord, 'metadata'>;

/** Whether requests need to be evaluated again: not for a change of the status. */
export function isSamePolicy(left: Version | undefined, right: Version | undefined): boolean {
  const isSameObject = left?.metadata.uid === right?.metadata.uid;
  return isSameObject && left?.metadata.generation === right?.metadata.generation;
}
