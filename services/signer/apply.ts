// Carries out one decision on one request: at most one status write, plus an event that gives the reason. Decides
// nothing; returns follow-up work as effects.

import type { Decision } from './decide.ts';
import type { Effect } from './effect.ts';
import type { RequestRecord } from './requests/request-kind.ts';
import type { ObservedSecret } from './secret.ts';
import type { Fail, Wait } from './verdict.ts';
import { issueLocally } from './writes/issue-locally.ts';
import { issueRemotely } from './writes/issue-remotely.ts';
import { recordFailure, recordReason, type Subject } from './writes/request-events.ts';
import { writeStatus } from './writes/status-writer.ts';
import type { CertificateWriteDeps, Issued } from './writes/write-certificate.ts';

export type ApplyDeps = CertificateWriteDeps;

/** What was done (the decision, unless the key or the API server ruled it out) and the effects that follow. */
export interface Applied {
  readonly done: Decision;
  readonly effects: readonly Effect[];
}

const NOTHING: Applied = { done: { kind: 'ignore' }, effects: [] };

export async function apply<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  decision: Decision,
): Promise<Applied> {
  switch (decision.kind) {
    case 'ignore':
      return NOTHING;
    case 'wait':
      return applyWait(deps, subject, decision);
    case 'fail':
      return applyFail(deps, subject, decision);
    case 'issue':
      return applyIssue(deps, subject, decision);
  }
}

function applyWait<R extends RequestRecord>(deps: ApplyDeps, subject: Subject<R>, wait: Wait): Applied {
  const { reason, message, announceAfterMs = 0 } = wait;
  subject.log.debug({ reason, detail: message }, 'request waiting');
  const restMs = announceAfterMs - (deps.now().getTime() - subject.record.receivedAt);
  if (restMs > 0) return { done: wait, effects: wakesOf({ ...wait, requeueAfterMs: restMs }) };
  recordReason(deps, subject, reason, message);
  return { done: wait, effects: wakesOf(wait) };
}

function wakesOf({ secret, requeueAfterMs }: Wait): readonly Effect[] {
  return [
    ...(secret === undefined ? [] : [wakeOn(secret)]),
    ...(requeueAfterMs === undefined ? [] : [{ kind: 'requeue-after', afterMs: requeueAfterMs } as const]),
  ];
}

function wakeOn({ ref, secret }: ObservedSecret): Effect {
  return { kind: 'wake-on-secret', ref, version: secret?.metadata.resourceVersion };
}

async function applyFail<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  failure: Fail,
): Promise<Applied> {
  await writeStatus(deps, subject, subject.kind.failedChange(subject.record, failure, deps.now()));
  recordFailure(deps, subject, failure.reason, failure.message);
  return { done: failure, effects: [] };
}

async function applyIssue<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  decision: Extract<Decision, { kind: 'issue' }>,
): Promise<Applied> {
  if (!deps.isLeading()) return NOTHING;
  const { issuance } = decision;
  const issued =
    issuance.kind === 'local'
      ? await issueLocally(deps, subject, issuance)
      : await issueRemotely(deps, subject, issuance);
  switch (issued.kind) {
    case 'issued':
      return { done: decision, effects: [] };
    case 'dropped':
      return NOTHING;
    case 'instead':
      return applyInstead(deps, subject, issued);
  }
}

/** Applies the decision made instead of issuing, and counts the refusal if someone has to act on it. */
async function applyInstead<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  { decision, refusal }: Extract<Issued, { kind: 'instead' }>,
): Promise<Applied> {
  const { kind, record } = subject;
  const instead = decision.kind === 'fail' ? kind.whenUnfit(record, decision, deps.now().getTime()) : decision;
  // A request that fails has its line; one that waits has none, although someone has to act.
  if (decision.kind === 'fail' && instead.kind === 'wait') {
    subject.log.warn({ reason: instead.reason, detail: instead.message }, 'certificate rejected by API server');
  }
  const { done, effects } = await apply(deps, subject, instead);
  return { done, effects: refusal === undefined ? effects : [{ kind: 'count-refusal', error: refusal }, ...effects] };
}
