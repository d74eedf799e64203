// Handles one admission: decode, observe, admit, warn, and write one log line. Fails closed: an internal error denies
// the request with a generic message, and the cause goes to the log.

import type { Requester } from '@countersign/common/csr.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { Result } from '@countersign/common/result.ts';
import { isClassified } from '@countersign/common/runtime/errors.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { shorten } from '@countersign/common/short-text.ts';
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  allow,
  type DecodeError,
  decodeAdmissionReview,
  deny,
  type Refusal,
} from './admission-review.ts';
import { type AdmissionScope, admit, type Decision, findScope } from './admit.ts';
import { judgeApproval } from './approval.ts';
import { type Admitted, evaluateApproval, type Deps as ObserveDeps, observe, readSigningSecret } from './observe.ts';
import { type Caller, ReviewLimiter } from './review-limiter.ts';
import { warningsFor } from './warnings.ts';

export interface HandlerDeps extends ObserveDeps {
  readonly log: Logger;
  readonly now: () => Date;
  readonly policy: RequestPolicy;
}

/** The API server rejects longer ones. */
const MAX_SIGNER_NAME = 571;

/** The HTTP response: an AdmissionReview, or why the body is not one. */
export type HandlerResult =
  | { readonly status: 200; readonly body: AdmissionAnswer }
  | { readonly status: 400; readonly body: { readonly error: string; readonly uid?: string } };

/** Never rejects. */
export type AdmissionHandler = (body: unknown, caller: Caller) => Promise<HandlerResult>;

export function createHandler(deps: HandlerDeps): AdmissionHandler {
  const turns = new ReviewLimiter();
  // Not async: the body may be many times larger than what is decoded from it, and must not be kept until the answer
  // is ready.
  return (body, caller) => {
    const permissions = turns.limit(deps.permissions, caller);
    return answer(decodeAdmissionReview(body), { ...deps, permissions });
  };
}

async function answer(request: Result<AdmissionRequest, DecodeError>, deps: HandlerDeps): Promise<HandlerResult> {
  if (!request.ok) return refuseBody(request.error, deps);
  const finish = deps.metrics.startAdmission();
  const { decision, warnings, cause } = await decide(request.value, deps);
  const milliseconds = finish(kindOf(decision), decision.allowed ? '' : decision.reason);
  logAdmission(deps.log, request.value, { decision, warnings, cause, milliseconds });
  return { status: 200, body: decision.allowed ? allow(request.value, warnings) : deny(request.value, decision) };
}

function refuseBody({ message, uid }: DecodeError, { log, metrics }: HandlerDeps): HandlerResult {
  metrics.countUnreadable('BadRequest');
  log.warn({ uid, problem: message }, 'cannot decode admission request');
  return { status: 400, body: { error: message, ...(uid !== undefined && { uid }) } };
}

interface Outcome {
  readonly decision: Decision;
  readonly warnings: readonly string[];
  /** The error that prevented a decision. */
  readonly cause?: unknown;
}

async function decide(request: AdmissionRequest, deps: HandlerDeps): Promise<Outcome> {
  const { userInfo } = request;
  const { policy } = deps;
  let scope: AdmissionScope = { kind: 'not-ours' };
  try {
    scope = findScope(request, policy);
    const observation = await observe(scope, userInfo, deps);
    const decision = admit(scope, observation, { username: userInfo.username ?? '', policy });
    if (!decision.allowed || scope.kind !== 'validate' || scope.ref === undefined) return { decision, warnings: [] };
    const admitted = { csr: scope.csr, ref: scope.ref, requested: decision.requested, ...observation };
    return await consultPolicies(decision, admitted, userInfo, deps);
  } catch (cause) {
    return { decision: { allowed: false, ...refusalFor(cause, scope) }, warnings: [], cause };
  }
}

/** The policies come last: a request that cannot be signed has other errors to fix first. */
async function consultPolicies(
  decision: Decision,
  admitted: Admitted,
  requester: Requester,
  deps: HandlerDeps,
): Promise<Outcome> {
  const evaluated = evaluateApproval(admitted, requester, deps);
  const opinion = evaluated && judgeApproval(evaluated.approval, evaluated.asked, deps.approvals?.mode ?? 'warn');
  if (opinion?.kind === 'deny') return { decision: opinion.decision, warnings: [] };
  const approvalWarning = opinion?.kind === 'warn' ? opinion.warning : undefined;
  return { decision, warnings: await warn({ ...admitted, approvalWarning }, deps) };
}

async function warn(admitted: Admitted, deps: HandlerDeps): Promise<readonly string[]> {
  const { now, policy } = deps;
  return warningsFor(admitted, { now: now(), secret: await readSigningSecret(admitted, deps), policy });
}

/** Only the access review can fail with an API server error: all other reads are best effort. */
function refusalFor(cause: unknown, scope: AdmissionScope): Refusal {
  if (isClassified(cause) && scope.kind === 'validate' && scope.ref !== undefined) {
    const message = `${reasons.AccessReviewFailed.message(scope.ref)}; try again`;
    return { code: 500, reason: 'AccessReviewFailed', message, causes: [] };
  }
  return {
    code: 500,
    reason: 'InternalError',
    message: 'the webhook failed to evaluate the request; try again',
    causes: [],
  };
}

function kindOf(decision: Decision): 'allowed' | 'denied' | 'error' {
  if (decision.allowed) return 'allowed';
  return decision.code === 500 ? 'error' : 'denied';
}

function logAdmission(
  log: Logger,
  request: AdmissionRequest,
  outcome: Outcome & { readonly milliseconds: number },
): void {
  const { decision, warnings, cause, milliseconds } = outcome;
  const { uid, operation, subResource, dryRun, userInfo } = request;
  const csr = 'object' in request ? request.object : undefined;
  const fields = {
    uid,
    operation,
    ...(subResource && { subResource: shorten(subResource) }),
    ...(dryRun && { dryRun }),
    csr: csr && shorten(csr.metadata.name),
    signerName: csr && shorten(csr.spec.signerName, MAX_SIGNER_NAME),
    user: userInfo.username && shorten(userInfo.username),
    answer: kindOf(decision),
    ...(!decision.allowed && { reason: decision.reason, reasons: decision.causes.map(({ reason }) => reason) }),
    ...(warnings.length > 0 && { warnings }),
    ms: Math.round(milliseconds * 10) / 10,
  };
  if (cause === undefined) log.info(fields, 'admission');
  else log.error({ ...fields, err: cause }, 'admission');
}
