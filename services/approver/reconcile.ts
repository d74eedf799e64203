// One run for one request: evaluate all policies, write the decision if there is one, and report why. The decision
// itself is made by evaluate, from the version of the request that the write is conditional on.

import { type Evaluation, evaluate } from '@countersign/common/approval/evaluate.ts';
import { explain, explainDryRun } from '@countersign/common/approval/explain.ts';
import type { CompiledPolicy } from '@countersign/common/approval/policy/compiled-policy.ts';
import { type Asked, askedBy } from '@countersign/common/approval/request/judged-request.ts';
import { csrPath } from '@countersign/common/csr.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { type ApprovalRecord, toApprovalRecord } from './approval-record.ts';
import { type DecisionWriterDeps, writeDecision } from './decision-writer.ts';
import { FIELD_MANAGER } from './field-manager.ts';
import type { SignerScope } from './signer-scope.ts';

export interface ReconcileDeps extends DecisionWriterDeps {
  readonly client: Pick<KubeClient, 'get' | 'mergePatch'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly scope: SignerScope;
  readonly requestPolicy: RequestPolicy;
  /** Requests of this user are never decided on. */
  readonly ownUsername: () => string | undefined;
  readonly findRecord: (name: string) => ApprovalRecord | undefined;
  /** undefined while it is not known which policies there are. */
  readonly policies: () => readonly CompiledPolicy[] | undefined;
  /** Reads them from the API server. */
  readonly readPolicies: () => Promise<readonly CompiledPolicy[]>;
}

export interface Run {
  readonly name: string;
  readonly attempt: number;
  readonly log: Logger;
}

/** `waiting`: why, from a closed set. */
export type Outcome =
  | { readonly kind: 'ignored' | 'approved' | 'denied' }
  | { readonly kind: 'waiting'; readonly reason: string };

/** A second attempt starts from a fresh read, because the first may have acted on an old copy. */
export async function reconcile(deps: ReconcileDeps, run: Run): Promise<Outcome> {
  const record = run.attempt === 0 ? deps.findRecord(run.name) : await readFresh(deps, run.name);
  const own = deps.ownUsername();
  const policies = deps.policies();
  if (record === undefined || record.state === 'done' || !deps.isLeading()) return { kind: 'ignored' };
  if (own === undefined || record.spec.username === own) return { kind: 'ignored' };
  if (policies === undefined) throw new RetryableError('the approval policies are not up to date', { code: 'unknown' });
  return decide(deps, { record, policies, log: run.log });
}

async function readFresh({ client, scope }: ReconcileDeps, name: string): Promise<ApprovalRecord | undefined> {
  const raw = await client.get(csrPath(name));
  return raw === undefined ? undefined : toApprovalRecord(raw, scope);
}

interface Subject {
  readonly record: ApprovalRecord;
  readonly policies: readonly CompiledPolicy[];
  readonly log: Logger;
}

async function decide(deps: ReconcileDeps, { record, policies, log }: Subject): Promise<Outcome> {
  const asked = askedBy(record);
  const requested = toRequestedCertificate(record, deps.requestPolicy);
  const known = evaluate(policies, requested, asked);
  // Final, so never because of a policy that was changed or deleted a moment ago.
  const isFinal = known.decision.kind === 'deny';
  const evaluation = isFinal ? evaluate(await deps.readPolicies(), requested, asked) : known;
  reportDryRun(deps, record, evaluation);
  return apply(deps, { record, evaluation, asked, log });
}

interface Evaluated {
  readonly record: ApprovalRecord;
  readonly evaluation: Evaluation;
  readonly asked: Asked;
  readonly log: Logger;
}

async function apply(deps: ReconcileDeps, { record, evaluation, asked, log }: Evaluated): Promise<Outcome> {
  const { decision } = evaluation;
  const explanation = explain(evaluation, asked);
  const isApproval = decision.kind === 'approve';
  if (decision.kind === 'wait') {
    recordEvent(deps, record, 'Warning', explanation);
    return { kind: 'waiting', reason: explanation.reason };
  }
  try {
    await writeDecision(deps, record, isApproval ? 'Approved' : 'Denied', explanation);
  } catch (error) {
    if (isGone(error) || !deps.isLeading()) return { kind: 'ignored' };
    throw error;
  }
  const { name, uid, resourceVersion } = record.metadata;
  const fields = { csr: name, uid, resourceVersion, signerName: asked.signerName, requester: asked.requester.username };
  log.info({ ...fields, policy: decision.by.policy }, isApproval ? 'request approved' : 'request denied');
  recordEvent(deps, record, isApproval ? 'Normal' : 'Warning', explanation);
  return { kind: isApproval ? 'approved' : 'denied' };
}

function isGone(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'not-found';
}

function reportDryRun(deps: ReconcileDeps, record: ApprovalRecord, { perPolicy }: Evaluation): void {
  for (const verdict of perPolicy.filter(({ mode }) => mode === 'DryRun')) {
    recordEvent(deps, record, 'Normal', { reason: 'ApprovalDryRun', message: explainDryRun(verdict) });
  }
}

function recordEvent(
  { events }: ReconcileDeps,
  { metadata }: ApprovalRecord,
  type: 'Normal' | 'Warning',
  text: { readonly reason: string; readonly message: string },
): void {
  const subject = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata };
  events.record(subject, { ...text, type, component: FIELD_MANAGER });
}
