// Translates the status of a CertificateRequest into an answer about the request that it was created for: issued, why
// it waits, or why it fails. The reasons depend on the type of the issuer. Pure.

import type { Condition } from '@countersign/common/csr.ts';
import { formatIssuer } from '@countersign/common/reasons/own-reasons.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { shorten } from '@countersign/common/short-text.ts';
import { formatSignerName, resourceOf, type SignerRef } from '@countersign/common/signer-name.ts';
import type { Fail, Wait } from '../../verdict.ts';
import type { RemoteAnswer } from '../issuer-type.ts';
import { type CertificateRequest, placeOf } from './certificate-request.ts';
import type { DelegatedType } from './delegated-type.ts';

/** After this time, the absence of an approval, or then of any answer, is a problem to report. */
const PATIENCE_MS = 30_000;
/** A watch reports changes at once; this is for a CertificateRequest whose labels were changed. */
const LOOK_AGAIN_MS = 300_000;
/** Characters of a message that another controller wrote. */
const MAX_MESSAGE = 1_000;

export interface Context {
  readonly type: DelegatedType;
  readonly ref: SignerRef;
  readonly now: Date;
}

export function answerOfStatus(found: CertificateRequest, context: Context): RemoteAnswer {
  const ready = conditionOf(found, 'Ready');
  return (
    refusalOf(found, ready, context) ??
    certificateOf(found, ready) ??
    waitForApproval(found, context) ??
    waitForIssuance(found, ready, context)
  );
}

function conditionOf({ status }: CertificateRequest, type: string): Condition | undefined {
  return status?.conditions?.find(condition => condition.type === type);
}

function isTrue(condition: Condition | undefined): condition is Condition {
  return condition?.status === 'True';
}

function messageOf({ message, reason }: Condition): string {
  return shorten(message || reason || 'no message', MAX_MESSAGE);
}

/** Other issuers set the Denied condition only, or only the reason of Ready. */
function refusalOf(found: CertificateRequest, ready: Condition | undefined, { type }: Context): Fail | undefined {
  const invalid = conditionOf(found, 'InvalidRequest');
  if (isTrue(invalid)) return fail('CertificateRequestInvalid', found, invalid);
  const denied = conditionOf(found, 'Denied');
  if (isTrue(denied)) return fail('CertificateRequestDenied', found, denied);
  if (ready?.status !== 'False') return undefined;
  if (ready.reason === 'Denied') return fail('CertificateRequestDenied', found, ready);
  return ready.reason === 'Failed' ? failureOf(type, found, ready) : undefined;
}

function fail(
  reason: 'CertificateRequestInvalid' | 'CertificateRequestDenied' | 'CertificateRequestFailed',
  found: CertificateRequest,
  condition: Condition,
): Fail {
  return { kind: 'fail', reason, message: reasons[reason].message(placeOf(found), messageOf(condition)) };
}

/** The reasons of cert-manager's controllers for CSRs, with the messages of those for CertificateRequests. */
function failureOf(type: DelegatedType, found: CertificateRequest, ready: Condition): Fail {
  const reason = failureReason(type, ready.message ?? '');
  if (reason === undefined) return fail('CertificateRequestFailed', found, ready);
  return { kind: 'fail', reason, message: messageOf(ready) };
}

function failureReason(type: DelegatedType, message: string): Reason | undefined {
  if (type === 'venafi') return 'ErrorRequest';
  if (type !== 'acme') return undefined;
  return message.startsWith('The CSR PEM requests a commonName') ? 'InvalidOrder' : 'OrderFailed';
}

function certificateOf(
  { status }: CertificateRequest,
  ready: Condition | undefined,
): Extract<RemoteAnswer, { kind: 'issued' }> | undefined {
  if (!isTrue(ready) || !status?.certificate) return undefined;
  const chainPem = decode(status.certificate);
  return status.ca ? { kind: 'issued', chainPem, topPem: decode(status.ca) } : { kind: 'issued', chainPem };
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

function waitForApproval(found: CertificateRequest, { ref, now }: Context): Wait | undefined {
  if (isTrue(conditionOf(found, 'Approved'))) return undefined;
  const age = ageOf(found.metadata.creationTimestamp, now);
  if (age < PATIENCE_MS) return pending(found, 'not approved yet', PATIENCE_MS - age);
  // cert-manager's webhook asks for the permission to approve under this name.
  const message = reasons.CertificateRequestNotApproved.message(
    placeOf(found),
    formatSignerName(ref),
    ref.external !== undefined,
  );
  return { kind: 'wait', reason: 'CertificateRequestNotApproved', message, requeueAfterMs: LOOK_AGAIN_MS };
}

function ageOf(time: string | undefined, now: Date): number {
  return now.getTime() - Date.parse(time ?? now.toISOString());
}

/** For one that is approved. */
function waitForAnswer(found: CertificateRequest, { ref, now }: Context): Wait {
  const age = ageOf(conditionOf(found, 'Approved')?.lastTransitionTime, now);
  if (age < PATIENCE_MS) return pending(found, 'no controller has taken it up yet', PATIENCE_MS - age);
  const { group } = resourceOf(ref);
  const message = reasons.CertificateRequestUnanswered.message(placeOf(found), formatIssuer(ref), group);
  return { kind: 'wait', reason: 'CertificateRequestUnanswered', message, requeueAfterMs: LOOK_AGAIN_MS };
}

function waitForIssuance(found: CertificateRequest, ready: Condition | undefined, context: Context): Wait {
  if (ready === undefined) return waitForAnswer(found, context);
  const { type } = context;
  const reason = pendingReason(type);
  if (reason === undefined) return pending(found, messageOf(ready), LOOK_AGAIN_MS);
  return { kind: 'wait', reason, message: messageOf(ready), requeueAfterMs: LOOK_AGAIN_MS };
}

function pendingReason(type: DelegatedType): Reason | undefined {
  if (type === 'acme') return 'OrderPending';
  return type === 'venafi' ? 'IssuancePending' : undefined;
}

function pending(found: CertificateRequest, message: string, requeueAfterMs: number): Wait {
  const text = reasons.CertificateRequestPending.message(placeOf(found), message);
  return { kind: 'wait', reason: 'CertificateRequestPending', message: text, requeueAfterMs };
}
