// Reconciles one request: observe, decide, do one thing, report why. Catches errors only to record them as events; the
// queue retries, and follow-up work is returned as effects.

import { secretNamespace } from '@countersign/common/issuers/issuer.ts';
import { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { type Applied, type ApplyDeps, apply } from './apply.ts';
import type { BundleController } from './controllers/bundle-controller.ts';
import type { RequestView } from './controllers/request-view.ts';
import type { Decision } from './decide.ts';
import { decideApproved } from './decide-approved.ts';
import type { Effect, Outcome } from './effect.ts';
import type { ObserveDeps, SigningSettings } from './observe.ts';
import type { RequestRecord } from './requests/request-kind.ts';
import { type FreshReadDeps, readFresh, toReport, toSubjectOf } from './writes/fresh-read.ts';
import { repairIssued } from './writes/repair-issued.ts';
import { reportFormer } from './writes/report-former.ts';
import { type OtherSignerDeps, reportOtherSigner } from './writes/report-other-signer.ts';
import { recordReason, type Subject } from './writes/request-events.ts';
import type { Unreported } from './writes/unreported.ts';

export interface ReconcileDeps<R extends RequestRecord = RequestRecord>
  extends FreshReadDeps<R>,
    ObserveDeps,
    ApplyDeps,
    OtherSignerDeps<R> {
  readonly client: KubeClient;
  readonly settings: SigningSettings;
  readonly view: RequestView<R>;
  /** What a previous leader may have left unreported. */
  readonly unreported: Pick<Unreported, 'has' | 'delete'>;
  /** Where trust bundles are published. */
  readonly bundles?: Pick<BundleController, 'whenPublished'> | undefined;
}

/** One reconcile; `log` carries its reconcileId. */
export interface Run {
  readonly name: string;
  readonly attempt: number;
  readonly log: Logger;
}

/** The effects to carry out, whether or not the reconcile failed. On an error, the queue retries. */
export interface Reconciled {
  readonly effects: readonly Effect[];
  readonly error?: unknown;
}

const IGNORED: Outcome = { result: 'ignored', reason: undefined, issuerType: '' };

/** Never rejects. Retries start from a fresh read, since the first attempt may have acted on a stale object. */
export async function reconcile<R extends RequestRecord>(deps: ReconcileDeps<R>, run: Run): Promise<Reconciled> {
  const effects: Effect[] = [];
  try {
    if (deps.unreported.has(run.name)) await reportFormer(deps, run);
    effects.push(...(await reportOtherSigner(deps, run)));
    const subject = await findSubject(deps, run, effects);
    if (subject === undefined) return { effects };
    effects.push(...(await attempt(deps, subject)));
    return { effects };
  } catch (error) {
    return { effects, error };
  }
}

/** Returns the request, from the cache if that can be trusted; undefined if there is nothing to do. */
async function findSubject<R extends RequestRecord>(
  deps: ReconcileDeps<R>,
  run: Run,
  effects: Effect[],
): Promise<Subject<R> | undefined> {
  const mayTrustCache = run.attempt === 0 && !deps.ledger.isInDoubt(run.name);
  const fresh = mayTrustCache ? undefined : await readFresh(deps, run);
  if (fresh !== undefined) effects.push(...fresh.effects);
  const record = mayTrustCache ? deps.view.findRecord(run.name) : fresh?.record;
  if (record === undefined || record.state === 'done' || deps.ledger.isStale(record)) return undefined;
  return toSubjectOf(deps, record, run.log);
}

async function attempt<R extends RequestRecord>(
  deps: ReconcileDeps<R>,
  subject: Subject<R>,
): Promise<readonly Effect[]> {
  const cached = deps.view.findRecord(keyOf(subject.record.metadata));
  try {
    const { outcome, effects } = await act(deps, subject);
    // The cached object is older than the one that was read and overwritten.
    if (cached !== undefined && deps.ledger.isStale(subject.record)) deps.ledger.markStale(cached);
    return [...effects, toReport(deps, subject.record, outcome)];
  } catch (error) {
    if (isGone(error)) subject.log.debug({ err: error }, 'request not found');
    // The next leader processes every open request, as does this replica if it becomes leader again.
    else if (!deps.isLeading()) subject.log.info({ err: error }, 'leadership lost, next leader will reconcile');
    else throw error;
    return [];
  }
}

/**
 * Reads of Secrets and requests return undefined for a missing object, so a 404 can only concern the request
 * being written.
 */
function isGone(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'not-found';
}

interface Acted {
  readonly outcome: Outcome;
  readonly effects: readonly Effect[];
}

async function act<R extends RequestRecord>(deps: ReconcileDeps<R>, subject: Subject<R>): Promise<Acted> {
  if (subject.record.state === 'repair') return complete(deps, subject);
  const triaged = subject.kind.triage(subject.record, deps.settings.policy);
  if (triaged.kind === 'proceed') return reconcileApproved(deps, subject, triaged.ref);
  const acted = toActed(await apply(deps, subject, triaged), '');
  if (triaged.kind === 'fail') return acted;
  // Requests that no issuer can ever sign are not counted as waiting: only their requester can act.
  if (triaged.kind === 'ignore' || triaged.ref === undefined) return { ...acted, outcome: IGNORED };
  if (deps.isLeading()) warnApprover(deps, subject, triaged.ref);
  return acted;
}

/** Does nothing until the issuer is cached: the controller then requeues pending requests. */
function warnApprover<R extends RequestRecord>(deps: ReconcileDeps<R>, subject: Subject<R>, ref: SignerRef): void {
  const issuer = deps.view.findIssuer(ref);
  const namespace = secretNamespace(ref, deps.settings.clusterResourceNamespace);
  const warning = issuer && subject.kind.warningToApprover(subject.record, issuer, namespace);
  if (warning !== undefined) recordReason(deps, subject, warning.reason, warning.message);
}

async function reconcileApproved<R extends RequestRecord>(
  deps: ReconcileDeps<R>,
  subject: Subject<R>,
  ref: SignerRef,
): Promise<Acted> {
  const { observation, decision } = await decideApproved(deps, subject, ref);
  await whenTrusted(deps, ref, decision);
  if (!deps.isLeading()) return { outcome: IGNORED, effects: [] };
  const { handler } = observation;
  const applied = await apply(deps, { ...subject, handler }, decision);
  const { outcome, effects } = toActed(applied, handler?.type ?? '');
  const isSecretBad = applied.done.kind === 'wait' && applied.done.secret !== undefined;
  return { outcome, effects: isSecretBad ? [...effects, { kind: 'recheck-issuer', ref }] : effects };
}

/** Nothing is signed with a new CA before verifiers can know it. What is its own issuer has no CA. */
function whenTrusted({ bundles }: Pick<ReconcileDeps, 'bundles'>, ref: SignerRef, decision: Decision) {
  if (decision.kind !== 'issue' || decision.issuance.kind !== 'local') return undefined;
  const { authority, secret } = decision.issuance;
  return authority && bundles?.whenPublished(ref, secret);
}

async function complete<R extends RequestRecord>(deps: ReconcileDeps<R>, subject: Subject<R>): Promise<Acted> {
  const issuerType = await repairIssued(deps, subject);
  if (issuerType === undefined) return { outcome: IGNORED, effects: [] };
  return { outcome: { result: 'repaired', reason: undefined, issuerType }, effects: [] };
}

function toActed({ done, effects }: Applied, issuerType: string): Acted {
  return { outcome: toOutcome(done, issuerType), effects };
}

function toOutcome(done: Decision, issuerType: string): Outcome {
  switch (done.kind) {
    case 'ignore':
      return { ...IGNORED, issuerType };
    case 'wait':
      return { result: 'waiting', reason: done.reason, issuerType };
    case 'fail':
      return { result: 'failed', reason: done.reason, issuerType };
    case 'issue':
      return { result: 'issued', reason: 'CertificateIssued', issuerType };
  }
}
