// Explains why a CertificateRequest could not be created: an answer about the request, or an error to retry.

import { reasons } from '@countersign/common/reasons/reasons.ts';
import { asRetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { shorten } from '@countersign/common/short-text.ts';
import type { Fail, Wait } from '../../verdict.ts';
import { type CertificateRequest, placeOf } from './certificate-request.ts';

/** A webhook that is restarting answers soon. */
const WEBHOOK_DOWN_MS = 5_000;
/** What refuses the object is changed by people. */
const REFUSED_MS = 60_000;
const MAX_PROBLEM = 1_000;

const CERT_MANAGER_WEBHOOK = 'webhook.cert-manager.io';
const DENIED = /admission webhook "([^"]+)" denied the request: (.*)$/s;
const UNREACHABLE = /failed calling webhook .*$/s;

/** Throws what may pass by itself, such as a broken connection. A missing object is explained by the caller. */
export function explainFailure(wanted: CertificateRequest, thrown: unknown): Wait | Fail {
  const message = thrown instanceof Error ? thrown.message : '';
  const explained = explainDenial(wanted, message) ?? explainUnreachable(wanted, message);
  if (explained !== undefined) return explained;
  if (thrown instanceof TerminalError) return notCreated(wanted, message);
  throw asRetryableError(thrown);
}

/** The webhook that denied a write, and its words. */
export function findDenial(message: string): { readonly webhook: string; readonly problem: string } | undefined {
  const [, webhook, problem = ''] = DENIED.exec(message) ?? [];
  return webhook === undefined ? undefined : { webhook, problem };
}

/** Other webhooks may change their mind. */
function explainDenial(wanted: CertificateRequest, message: string): Wait | Fail | undefined {
  const { webhook, problem } = findDenial(message) ?? {};
  if (webhook === undefined || problem === undefined) return undefined;
  if (webhook === CERT_MANAGER_WEBHOOK && problem.startsWith('spec.')) return invalid(wanted, problem);
  return notCreated(wanted, `webhook ${webhook} denies it: ${problem}`);
}

function explainUnreachable(wanted: CertificateRequest, message: string): Wait | undefined {
  const problem = UNREACHABLE.exec(message)?.[0];
  return problem === undefined ? undefined : notCreated(wanted, problem, WEBHOOK_DOWN_MS);
}

export function notCreated(wanted: CertificateRequest, problem: string, requeueAfterMs = REFUSED_MS): Wait {
  const message = reasons.CertificateRequestNotCreated.message(placeOf(wanted), shorten(problem, MAX_PROBLEM));
  return { kind: 'wait', reason: 'CertificateRequestNotCreated', message, requeueAfterMs };
}

/** Its spec follows from the spec of the request, which is immutable. */
function invalid(wanted: CertificateRequest, problem: string): Fail {
  const message = reasons.CertificateRequestInvalid.message(placeOf(wanted), shorten(problem, MAX_PROBLEM));
  return { kind: 'fail', reason: 'CertificateRequestInvalid', message };
}
