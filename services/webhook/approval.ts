// What the approval policies mean for a request at its creation: a denial if no policy can approve it as it is, or a
// warning. Never approves anything, and has no opinion where people approve by hand. Pure.

import { explain, explainProblem, nearestOf } from '@countersign/common/approval/explain.ts';
import type { Asked } from '@countersign/common/approval/request/judged-request.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import type { KnownApproval } from '@countersign/common/runtime/reflector/policy-cache.ts';
import { refuse } from './admit.ts';

export type ApprovalOpinion =
  | { readonly kind: 'none' }
  | { readonly kind: 'warn'; readonly warning: string }
  | { readonly kind: 'deny'; readonly decision: ReturnType<typeof refuse> };

/** A request cannot change once it is created: what no policy allows now, only another policy can allow. */
export function judgeApproval(approval: KnownApproval, asked: Asked, mode: 'warn' | 'deny'): ApprovalOpinion {
  const { decision, isSignerNamed } = approval;
  const isByHand = decision.kind === 'wait' && decision.why === 'no-policy' && !isSignerNamed;
  if (decision.kind === 'approve' || isByHand) return { kind: 'none' };
  const { reason, message } = explain(approval, asked);
  if (mode === 'warn' || mayBeFixed(approval)) return { kind: 'warn', warning: message };
  const cause: FieldError = {
    reason,
    field: 'spec',
    message: explainProblem(approval, asked) ?? message,
    remedy: remedyFor(approval),
  };
  return { kind: 'deny', decision: refuse(403, [cause]) };
}

/** Once its mistakes are fixed, an invalid policy may allow the request, unless a valid one denies it. */
function mayBeFixed({ decision, perPolicy }: KnownApproval): boolean {
  return decision.kind !== 'deny' && perPolicy.some(({ isInvalid, mode }) => isInvalid && mode === 'Enforce');
}

/** Who can change what: the requester the request, an administrator the policy. */
function remedyFor({ decision, perPolicy }: KnownApproval): string {
  const ask = 'ask an administrator who may update';
  if (decision.kind === 'deny') return `or ${ask} the policy: kubectl edit approvalpolicy ${decision.by.policy}`;
  const nearest = nearestOf(perPolicy.filter(({ mode, isGuard }) => mode === 'Enforce' && !isGuard));
  if (nearest === undefined)
    return `${ask} approvalpolicies to add the requester to the subjects of one for this signer`;
  return `create a request that it allows, or ${ask} the policy: kubectl edit approvalpolicy ${nearest.policy}`;
}
