// One run for one CSR: look, decide, do one thing, say why. Catches what the world throws only to say it in an event; the
// retry itself is the queue's.

import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Reason } from '@countersign/common/reasons.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { type ApplyDeps, apply, writeCaAnnotation } from './apply.ts';
import { confirm, handlerOf } from './confirm.ts';
import { type CsrRecord, csrObjectPath, toCsrRecord } from './csr-record.ts';
import { type Decision, decide, type Observation, triage } from './decide.ts';
import { isSignedHere } from './issuance/serial.ts';
import { ObservationError } from './issuers/observe-secret.ts';
import { type ObserveDeps, observe, observeNow } from './observe.ts';
import { recordReason, type Subject } from './say.ts';
import type { Unreported } from './unreported.ts';
import { warnApprover } from './warn-approver.ts';

/** How a run ended, for metrics: counted, never a reason to do anything. */
export interface Outcome {
  readonly result: 'ignored' | 'waiting' | 'failed' | 'issued' | 'repaired';
  readonly reason: Reason | undefined;
  readonly issuerType: string;
}

export interface ReconcileDeps extends ObserveDeps, ApplyDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly findCsr: (name: string) => CsrRecord | undefined;
  /** Called when an issuer's Secret proved missing or bad, so that its Ready condition is looked at again. */
  readonly recheckIssuer: (ref: SignerRef) => void;
  readonly report: (record: CsrRecord, outcome: Outcome) => void;
  /** What a former leader may have left unreported. */
  readonly unreported: Pick<Unreported, 'has' | 'delete'>;
}

/** Throws to be tried again; a second attempt starts from a fresh read, since the first may have acted on an old copy. */
export async function reconcile(deps: ReconcileDeps, name: string, attempt: number): Promise<void> {
  if (deps.unreported.has(name)) await reportEnd(deps, name);
  const copy = deps.findCsr(name);
  const csr = attempt === 0 && !deps.unanswered.has(name) ? copy : await readFresh(deps, name);
  if (csr === undefined || csr.state === 'done' || deps.overwritten.has(csr)) return;
  const log = logOf(deps, csr);
  try {
    const outcome = await run(deps, { csr, log, reasons: undefined });
    deps.report(csr, outcome);
    // The copy is older than what was read afresh and written over.
    if (copy !== undefined && deps.overwritten.has(csr)) deps.overwritten.add(copy);
  } catch (error) {
    answer(deps, log, error);
  }
}

function answer(deps: ReconcileDeps, log: Logger, error: unknown): void {
  if (isGone(error)) log.debug({ err: error }, 'request is gone');
  // The next leader looks at all that is open, and so does this replica when it leads again.
  else if (!deps.isLeading()) log.info({ err: error }, 'work left to the next leader');
  else throw error;
}

/**
 * Reports what a former leader wrote and may not have reported: at least once, since nobody knows what its log has. The event has
 * the name that it would have had; the line says that it was recovered. Another signer's certificates are not reported.
 */
async function reportEnd(deps: ReconcileDeps, name: string): Promise<void> {
  const csr = await deps.client.get<CertificateSigningRequest>(csrObjectPath(name));
  deps.unreported.delete(name);
  const certificate = csr?.status?.certificate;
  const isOurs = certificate === undefined || isSignedHere(certificate, csr?.metadata.uid ?? '');
  if (csr === undefined || !isOurs || handlerOf(deps, csr) === undefined) return;
  confirm(deps, csr, logOf(deps, csr).child({ recovered: true }));
}

/** Reads of Secrets and CSRs give undefined for what is absent: a 404 can only be the CSR that was to be written. */
function isGone(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'not-found';
}

function logOf({ log }: ReconcileDeps, { metadata, spec }: CertificateSigningRequest): Logger {
  return log.child({ csr: metadata.name, uid: metadata.uid, signerName: spec.signerName });
}

/**
 * Looks once whether the writes without an answer have landed, and tells of those that have: for a replica that will not come
 * back to them.
 */
export async function settleUnanswered(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  await Promise.allSettled(deps.unanswered.names.map(name => readFresh(deps, name, signal)));
  const { length } = deps.unanswered.names;
  if (length > 0) deps.log.warn({ requests: length }, 'not known whether the last writes have landed');
}

async function readFresh(deps: ReconcileDeps, name: string, signal?: AbortSignal): Promise<CsrRecord | undefined> {
  const raw = await deps.client.get<CertificateSigningRequest>(csrObjectPath(name), signal);
  deps.unanswered.keepOnly(name, raw?.metadata.uid);
  if (raw === undefined) return undefined;
  // The copy came in when the approval did; the moment of this read would make the wait look shorter than it was.
  const record = toCsrRecord(raw, deps.findCsr(name)?.receivedAt ?? deps.now().getTime(), deps);
  if (deps.unanswered.hasLanded(raw)) tellLanded(deps, raw);
  if (record.state !== 'open') deps.unanswered.delete(name);
  return record;
}

function tellLanded(deps: ReconcileDeps, csr: CertificateSigningRequest): void {
  const confirmed = confirm(deps, csr, logOf(deps, csr));
  if (confirmed !== undefined) deps.report({ ...csr, ...UNKNOWN_RECEIPT }, confirmed);
}

/** The copy may have been replaced since, so that the approval counts from when the API server stored it. */
const UNKNOWN_RECEIPT = { state: 'done', receivedAt: Number.POSITIVE_INFINITY } as const;

const IGNORED: Outcome = { result: 'ignored', reason: undefined, issuerType: '' };

type RecordSubject = Subject & { readonly csr: CsrRecord };

async function run(deps: ReconcileDeps, subject: RecordSubject): Promise<Outcome> {
  if (subject.csr.state === 'repair') return repair(deps, subject);
  const triaged = triage(subject.csr);
  if (triaged.kind === 'look') return look(deps, subject, triaged.ref);
  const outcome = toOutcome(await apply(deps, subject, triaged), '');
  // What no issuer can ever sign is not counted among what waits: nobody but its requester can do anything about it.
  if (triaged.kind === 'ignore' || triaged.ref === undefined) return IGNORED;
  if (deps.isLeading()) warnApprover(deps, subject, triaged.ref);
  return outcome;
}

async function look(deps: ReconcileDeps, subject: RecordSubject, ref: SignerRef): Promise<Outcome> {
  const first = await observeAndReport(deps, subject, () => observe(deps, subject.csr, ref));
  const { observation, decision } = await confirmFailure(deps, subject, judge(deps, first));
  if (!deps.isLeading()) return IGNORED;
  const { handler } = observation;
  const done = await apply(deps, { ...subject, reasons: handler?.reasons }, decision);
  if (done.kind === 'wait' && done.secret !== undefined) deps.recheckIssuer(ref);
  return toOutcome(done, handler?.type ?? '');
}

interface Judged {
  readonly observation: Observation;
  readonly decision: Decision;
}

function judge(deps: ReconcileDeps, observation: Observation): Judged {
  return { observation, decision: decide(observation, deps.now()) };
}

/**
 * Nothing is failed because of what is remembered: a Secret may have been fixed, or an issuer changed or deleted, a moment
 * before the approval.
 */
async function confirmFailure(deps: ReconcileDeps, subject: Subject, judged: Judged): Promise<Judged> {
  const { observation, decision } = judged;
  if (decision.kind !== 'fail' || !deps.isLeading()) return judged;
  return judge(deps, await observeAndReport(deps, subject, () => observeNow(deps, observation)));
}

async function observeAndReport(
  deps: ReconcileDeps,
  subject: Subject,
  read: () => Promise<Observation>,
): Promise<Observation> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ObservationError) recordReason(deps, subject, error.reason, error.message);
    throw error;
  }
}

/** Completes a certificate of ours that lacks the `ca` annotation, if its issuer still has the CA that signed it. */
async function repair(deps: ReconcileDeps, subject: RecordSubject): Promise<Outcome> {
  const signer = parseSignerName(subject.csr.spec.signerName);
  if (!signer.ok) return IGNORED;
  const { signer: observed, handler } = await observe(deps, subject.csr, signer.value);
  const chainPem = Buffer.from(subject.csr.status?.certificate ?? '', 'base64').toString();
  const topPem = observed?.topOf(chainPem);
  if (topPem === undefined || !deps.isLeading()) return IGNORED;
  await writeCaAnnotation(deps, subject, topPem);
  return { result: 'repaired', reason: undefined, issuerType: handler?.type ?? '' };
}

function toOutcome(decision: Decision, issuerType: string): Outcome {
  switch (decision.kind) {
    case 'ignore':
      return { ...IGNORED, issuerType };
    case 'wait':
      return { result: 'waiting', reason: decision.reason, issuerType };
    case 'fail':
      return { result: 'failed', reason: decision.reason, issuerType };
    case 'issue':
      return { result: 'issued', reason: 'CertificateIssued', issuerType };
  }
}
