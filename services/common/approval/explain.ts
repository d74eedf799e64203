// Explains an evaluation to people, in conditions and events: which policy decided, or what the nearest one still
// wants. Pure.

import { approvalReasons } from '../reasons/approval-reasons.ts';
import { shorten } from '../short-text.ts';
import type { Evaluation, PolicyVerdict } from './evaluate.ts';
import { formatMismatch } from './mismatch.ts';
import type { Asked } from './request/judged-request.ts';

export type ApprovalReason = Exclude<keyof typeof approvalReasons, 'ApprovalDryRun'>;

export interface Explanation {
  readonly reason: ApprovalReason;
  readonly message: string;
}

/** Mismatches in one message. */
const MAX_SHOWN = 3;

export function explain({ decision, perPolicy }: Evaluation, asked: Asked): Explanation {
  switch (decision.kind) {
    case 'approve':
      return { reason: 'ApprovedByPolicy', message: approvalReasons.ApprovedByPolicy.message(decision.by.policy) };
    case 'deny':
      return { reason: 'DeniedByPolicy', message: approvalReasons.DeniedByPolicy.message(refusal(decision.by)) };
    case 'wait':
      return explainWaiting(decision.why, perPolicy, asked);
  }
}

function explainWaiting(
  why: 'no-policy' | 'mismatch' | 'invalid',
  perPolicy: readonly PolicyVerdict[],
  { signerName, requester }: Asked,
): Explanation {
  const enforced = perPolicy.filter(({ mode }) => mode !== 'DryRun');
  const approvers = enforced.filter(({ isGuard }) => !isGuard);
  const nearest = nearestOf(approvers);
  if (why === 'invalid') return explainInvalid(enforced);
  if (why === 'no-policy' || nearest === undefined) {
    const message = approvalReasons.NoApprovalPolicy.message(shorten(requester.username ?? ''), signerName);
    return { reason: 'NoApprovalPolicy', message };
  }
  const count = approvers.length === 1 ? '' : ` (of ${approvers.length}, the nearest)`;
  return { reason: 'PolicyMismatch', message: approvalReasons.PolicyMismatch.message(`${refusal(nearest)}${count}`) };
}

function explainInvalid(enforced: readonly PolicyVerdict[]): Explanation {
  const names = enforced.filter(({ isInvalid, onMismatch }) => isInvalid && onMismatch === 'Deny');
  const list = names.map(({ policy }) => policy).join(', ');
  return { reason: 'PolicyInvalid', message: approvalReasons.PolicyInvalid.message(list) };
}

/** The policy with the fewest mismatches; an invalid one only if there is no other. */
export function nearestOf(verdicts: readonly PolicyVerdict[]): PolicyVerdict | undefined {
  const distance = ({ isInvalid, mismatches }: PolicyVerdict) => (isInvalid ? 1_000 : 0) + mismatches.length;
  return verdicts.toSorted((left, right) => distance(left) - distance(right))[0];
}

function refusal({ policy, isInvalid, mismatches }: PolicyVerdict): string {
  if (isInvalid) return `ApprovalPolicy ${policy} is invalid: fix it as its Ready condition says`;
  const shown = mismatches.slice(0, MAX_SHOWN).map(formatMismatch).join('; ');
  const more = mismatches.length - MAX_SHOWN;
  return `ApprovalPolicy ${policy} does not allow this request: ${shown}${more > 0 ? `; and ${more} more` : ''}`;
}

/** What a policy in DryRun mode would have done. */
export function explainDryRun(verdict: PolicyVerdict): string {
  const { policy, onMismatch, isGuard, isInvalid, mismatches } = verdict;
  const isSatisfied = !isInvalid && mismatches.length === 0;
  if (isSatisfied) return `ApprovalPolicy ${policy} would ${isGuard ? 'not deny' : 'approve'} this request`;
  const outcome = onMismatch === 'Deny' && !isInvalid ? 'deny this request' : 'leave this request waiting';
  return `ApprovalPolicy ${policy} would ${outcome}: ${refusal(verdict)}`;
}

/** Why the request is not allowed now, for a reader to whom an approval by hand does not help; undefined if it is. */
export function explainProblem(evaluation: Evaluation, asked: Asked): string | undefined {
  if (evaluation.decision.kind === 'approve') return undefined;
  const { reason, message } = explain(evaluation, asked);
  if (reason !== 'NoApprovalPolicy') return message;
  return approvalReasons.NoApprovalPolicy.problem(shorten(asked.requester.username ?? ''), asked.signerName);
}
