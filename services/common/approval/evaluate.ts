// Evaluates all policies for one request. The only place that decides on an approval; the approver and every
// explanation call this function. Adding a policy never takes an approval away, unless that policy says Deny. Pure.

import type { FieldError } from '../field-error.ts';
import type { RequestedCertificate } from '../requested-certificate.ts';
import type { Result } from '../result.ts';
import { judgeRequest } from './judge-request.ts';
import { type Mismatch, mismatch } from './mismatch.ts';
import type { CompiledPolicy } from './policy/compiled-policy.ts';
import { selectorFor } from './policy/select-policies.ts';
import { type Asked, type JudgedRequest, judgedRequest } from './request/judged-request.ts';

/** What one policy that selects the request says about it. */
export interface PolicyVerdict {
  readonly policy: string;
  readonly mode: CompiledPolicy['mode'];
  readonly onMismatch: CompiledPolicy['onMismatch'];
  /** The policy only denies, and allows nothing. */
  readonly isGuard: boolean;
  /** The policy has mistakes: it allows nothing. */
  readonly isInvalid: boolean;
  /** Empty if the policy allows the request. */
  readonly mismatches: readonly Mismatch[];
}

export type ApprovalDecision =
  | { readonly kind: 'approve' | 'deny'; readonly by: PolicyVerdict }
  /** `invalid`: a policy that would deny has mistakes, and holds back what it selects. */
  | { readonly kind: 'wait'; readonly why: 'no-policy' | 'mismatch' | 'invalid' };

export interface Evaluation {
  readonly decision: ApprovalDecision;
  /** By name; of the policies that select the request. */
  readonly perPolicy: readonly PolicyVerdict[];
}

/** `requested` as from toRequestedCertificate: a request that cannot be signed is allowed by no policy. */
export function evaluate(
  policies: readonly CompiledPolicy[],
  requested: Result<RequestedCertificate, readonly FieldError[]>,
  asked: Asked,
): Evaluation {
  const selected = policies.filter(selectorFor(asked)).toSorted(byName);
  const judged = requested.ok && selected.length > 0 ? judgedRequest(requested.value, asked) : undefined;
  const perPolicy = selected.map(policy => verdictOf(policy, requested, judged));
  return { decision: decide(perPolicy), perPolicy };
}

function byName(left: CompiledPolicy, right: CompiledPolicy): number {
  return left.name < right.name ? -1 : 1;
}

function verdictOf(
  policy: CompiledPolicy,
  requested: Result<RequestedCertificate, readonly FieldError[]>,
  judged: JudgedRequest | undefined,
): PolicyVerdict {
  const { name, mode, onMismatch, isGuard, mistakes } = policy;
  return {
    policy: name,
    mode,
    onMismatch,
    isGuard,
    isInvalid: mistakes.length > 0,
    mismatches: judged === undefined ? requestErrors(requested) : judgeRequest(policy, judged),
  };
}

function requestErrors(requested: Result<RequestedCertificate, readonly FieldError[]>): readonly Mismatch[] {
  const errors = requested.ok ? [] : requested.error;
  const found = errors.map(({ field, message }) => mismatch('request', field, '', message));
  // Without an error there would be nothing that keeps the policy from allowing the request.
  return found.length > 0 ? found : [mismatch('request', 'spec.request', '', 'cannot be signed')];
}

/** A denial goes before every approval, and an invalid policy that might have denied holds the request back. */
function decide(verdicts: readonly PolicyVerdict[]): ApprovalDecision {
  const enforced = verdicts.filter(({ mode }) => mode !== 'DryRun');
  const deniers = enforced.filter(({ onMismatch }) => onMismatch === 'Deny');
  const denier = deniers.find(verdict => !verdict.isInvalid && verdict.mismatches.length > 0);
  if (denier !== undefined) return { kind: 'deny', by: denier };
  if (deniers.some(({ isInvalid }) => isInvalid)) return { kind: 'wait', why: 'invalid' };
  const approvers = enforced.filter(({ isGuard }) => !isGuard);
  const approver = approvers.find(verdict => !verdict.isInvalid && verdict.mismatches.length === 0);
  if (approver !== undefined) return { kind: 'approve', by: approver };
  return { kind: 'wait', why: approvers.length === 0 ? 'no-policy' : 'mismatch' };
}
