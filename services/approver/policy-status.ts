// Writes the Ready condition of an ApprovalPolicy: whether it is in use, or what is wrong with it. Writes nothing that
// is there already.

import { POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import type { PolicyRecord } from '@countersign/common/approval/policy/policy-record.ts';
import { type Condition, formatTime } from '@countersign/common/csr.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { FIELD_MANAGER } from './field-manager.ts';
import { canSelect, type SignerScope } from './signer-scope.ts';

/** The maximum of metav1.Condition is 32,768; nobody reads that far. */
const MAX_MESSAGE = 2_000;

export interface PolicyStatusDeps {
  readonly client: Pick<KubeClient, 'mergePatch'>;
  readonly scope: SignerScope;
  readonly isLeading: () => boolean;
  readonly now: () => Date;
}

/** Conditional on the version that was judged. */
export async function writePolicyStatus(
  { client, scope, isLeading, now }: PolicyStatusDeps,
  record: PolicyRecord,
): Promise<void> {
  const { name, uid, resourceVersion } = record.metadata;
  const before = record.conditions.find(({ type }) => type === 'Ready');
  const ready = readyCondition(record, scope);
  if (before !== undefined && isSame(before, ready)) return;
  const isTransition = before?.status !== ready.status;
  const lastTransitionTime = isTransition ? formatTime(now()) : before?.lastTransitionTime;
  const others = record.conditions.filter(({ type }) => type !== 'Ready');
  const body = {
    metadata: { uid, resourceVersion },
    status: { conditions: [...others, { ...ready, lastTransitionTime }] },
  };
  await client.mergePatch(`${POLICY_PATH}/${name}/status?fieldManager=${FIELD_MANAGER}`, body, isLeading);
}

function isSame(left: Condition, right: Condition): boolean {
  const text = ({ status, reason, message, observedGeneration }: Condition) =>
    JSON.stringify([status, reason, message, observedGeneration]);
  return text(left) === text(right);
}

export function readyCondition({ metadata, compiled, signerNames }: PolicyRecord, scope: SignerScope): Condition {
  const { generation: observedGeneration } = metadata;
  const common = { type: 'Ready', ...(observedGeneration !== undefined && { observedGeneration }) };
  const { mistakes, mode } = compiled;
  if (mistakes.length > 0) {
    const message = mistakes.map(mistake => `${mistake.field}: ${mistake.message}`).join('; ');
    return { ...common, status: 'False', reason: 'Invalid', message: shorten(message, MAX_MESSAGE) };
  }
  const message = mode === 'DryRun' ? 'The policy is evaluated, but changes nothing' : 'The policy is in use';
  return { ...common, status: 'True', reason: mode, message: `${message}${uncovered(signerNames, scope)}` };
}

function uncovered(signerNames: readonly string[], scope: SignerScope): string {
  const names = signerNames.filter(name => !canSelect(scope, name));
  if (names.length === 0) return '';
  return shorten(
    `; the approver may not approve requests for ${names.join(', ')}: add them to approver.signerNames`,
    500,
  );
}
