// Observes one approved request and decides it; before a request fails, everything is observed again. Reports failed
// observations as events; writes nothing to the request.

import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type Decision, decide, type Observation } from './decide.ts';
import { ObservationError } from './issuers/observe-secret.ts';
import { type ObserveDeps, observe, observeNow } from './observe.ts';
import type { RequestRecord } from './requests/request-kind.ts';
import { type EventDeps, recordReason, type Subject } from './writes/request-events.ts';

export interface DecideDeps extends ObserveDeps, EventDeps {
  readonly isLeading: () => boolean;
  readonly now: () => Date;
}

export interface Decided {
  readonly observation: Observation;
  readonly decision: Decision;
}

export async function decideApproved<R extends RequestRecord>(
  deps: DecideDeps,
  subject: Subject<R>,
  ref: SignerRef,
): Promise<Decided> {
  const first = await observeAndReport(deps, subject, () => observe(deps, subject, ref));
  return confirmFailure(deps, subject, decideOn(deps, subject, first));
}

function decideOn<R extends RequestRecord>(
  deps: Pick<DecideDeps, 'now'>,
  { kind, record }: Subject<R>,
  observation: Observation,
): Decided {
  const now = deps.now();
  const decision = decide(observation, now);
  if (decision.kind !== 'fail') return { observation, decision };
  return { observation, decision: kind.whenUnfit(record, decision, now.getTime()) };
}

/** A Secret may have been fixed, or an issuer changed or deleted, just before the approval. */
async function confirmFailure<R extends RequestRecord>(
  deps: DecideDeps,
  subject: Subject<R>,
  decided: Decided,
): Promise<Decided> {
  const { observation, decision } = decided;
  if (decision.kind !== 'fail' || !deps.isLeading()) return decided;
  return decideOn(deps, subject, await observeAndReport(deps, subject, () => observeNow(deps, subject, observation)));
}

async function observeAndReport<R extends RequestRecord>(
  deps: DecideDeps,
  subject: Subject<R>,
  read: () => Promise<Observation>,
): Promise<Observation> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ObservationError) recordReason(deps, subject, error.reason, error.message);
    throw error;
  }
}
