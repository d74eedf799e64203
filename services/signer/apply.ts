// Carries out one decision on one request: at most one write to its status, and an event that says why. Decides nothing, and gives
// what else has to follow as effects.

import { reasons } from '@countersign/common/reasons.ts';
import { asClassifiedError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { Decision } from './decide.ts';
import type { Effect } from './effect.ts';
import { type Chain, completeChain } from './issuance/chain.ts';
import { signCertificate } from './issuance/sign.ts';
import type { Issuance, Wait } from './issuers/issuer-type.ts';
import type { SigningSettings } from './observe.ts';
import { type EventDeps, recordFailure, recordIssuance, recordReason, type Subject } from './request-events.ts';
import type { RequestRecord } from './requests/request-kind.ts';
import type { ObservedSecret } from './secret-reader.ts';
import { completeObject, type WriteDeps, writeStatus } from './status-writer.ts';
import { insteadOfRefused, insteadOfUnusable, reasonsOf } from './unusable-certificate.ts';

export interface ApplyDeps extends EventDeps, WriteDeps {
  readonly now: () => Date;
  readonly settings: Pick<SigningSettings, 'writeCaAnnotation'>;
}

/** What was done, which is the decision unless the key or the API server disagreed, and what has to follow. */
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
  const { reason, message, secret } = wait;
  subject.log.debug({ reason, detail: message }, 'request waits');
  recordReason(deps, subject, reason, message);
  return { done: wait, effects: secret === undefined ? [] : [wakeOn(secret)] };
}

function wakeOn({ ref, secret }: ObservedSecret): Effect {
  return { kind: 'wake-on-secret', ref, version: secret?.metadata.resourceVersion };
}

type Failure = Extract<Decision, { kind: 'fail' }>;

async function applyFail<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  failure: Failure,
): Promise<Applied> {
  await writeStatus(deps, subject, subject.kind.failedChange(subject.record, failure, deps.now()));
  recordFailure(deps, subject, failure.reason, failure.message);
  return { done: failure, effects: [] };
}

type Issue = Extract<Decision, { kind: 'issue' }>;

async function applyIssue<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  decision: Issue,
): Promise<Applied> {
  const { issuance } = decision;
  if (!deps.isLeading()) return NOTHING;
  const audit = auditFields(subject, issuance);
  subject.log.info(audit, 'signing certificate');
  // No signature without its line, whatever becomes of this process.
  subject.log.flush();
  const signed = await signCertificate(issuance.certificate, issuance.key);
  if (!signed.ok) {
    const error = new TerminalError(signed.error, { code: 'invalid' });
    return applyInstead(deps, subject, insteadOfUnusable(subject, issuance, error), error);
  }
  if (!deps.isLeading()) return dropSigned(subject, audit);
  const chain = completeChain(signed.value.pem, issuance.authority);
  const written = await writeCertificate(deps, subject, chain);
  if (written instanceof TerminalError) {
    return applyInstead(deps, subject, await insteadOfRefused(deps, subject, issuance, written), written);
  }
  recordIssuance(deps, subject, { ...audit, sha256: signed.value.sha256 });
  await complete(deps, { ...subject, record: written }, chain.topPem);
  return { done: decision, effects: [] };
}

/** The replica that leads now signs for itself, with the same serial. */
function dropSigned<R extends RequestRecord>({ log }: Subject<R>, audit: Readonly<Record<string, unknown>>): Applied {
  log.info(audit, 'certificate dropped, leadership was lost');
  return NOTHING;
}

/** What is done instead with a certificate that proved unusable once it was signed: an alert comes with it. */
async function applyInstead<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  decision: Wait | Failure,
  error: TerminalError,
): Promise<Applied> {
  const { done, effects } = await apply(deps, subject, decision);
  return { done, effects: [{ kind: 'count-refusal', error }, ...effects] };
}

/** What the audit trail says before and after each signature. */
function auditFields<R extends RequestRecord>(
  { kind, record }: Subject<R>,
  { certificate: { profile } }: Issuance,
): Record<string, unknown> {
  return {
    audit: true,
    serial: profile.serial.toString('hex'),
    requester: kind.requesterOf(record).username,
    isCa: profile.isCa,
    notAfter: profile.notAfter.toISOString(),
  };
}

/** Gives the request as written, or the error when the API server rejects the certificate, or what comes with it, as invalid. */
async function writeCertificate<R extends RequestRecord>(
  deps: ApplyDeps,
  subject: Subject<R>,
  chain: Chain,
): Promise<R | TerminalError> {
  try {
    return await writeStatus(deps, subject, subject.kind.issuedChange(chain, deps.settings));
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'invalid') return error;
    if (isWorthTelling(error) && deps.isLeading()) {
      recordReason(
        deps,
        subject,
        reasonsOf(subject).updateFailed,
        reasons.SigningError.update((error as Error).message),
      );
    }
    throw error;
  }
}

/** A conflict is answered by a fresh look at once, and of a request that is gone no one wants news. */
function isWorthTelling(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code !== 'conflict' && code !== 'not-found';
}

/** The certificate is out, whatever becomes of the rest: the request comes back as one to repair when this fails. */
async function complete<R extends RequestRecord>(deps: ApplyDeps, subject: Subject<R>, topPem: string): Promise<void> {
  try {
    await repair(deps, subject, topPem);
  } catch (error) {
    subject.log.warn({ err: error }, 'annotation not written, it will be repaired');
  }
}

/** Writes what a request that has its certificate still lacks. */
export async function repair<R extends RequestRecord>(
  deps: ApplyDeps,
  { kind, record, log }: Subject<R>,
  topPem: string,
): Promise<void> {
  const wrote = await completeObject(deps, { kind, record }, object => kind.completion(object, topPem, deps.settings));
  if (wrote) log.info('annotation repaired');
}
