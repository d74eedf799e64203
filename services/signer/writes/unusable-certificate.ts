// Handles a certificate that is unusable once signed: it does not verify, or the API server rejects it. The outcome
// depends on who is at fault. Writes only dry runs.

import { ASSUMED_TYPE, issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { LocalIssuance } from '../issuers/issuer-type.ts';
import { waitForUsable } from '../issuers/unusable-secret.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import type { ObservedSecret } from '../secret.ts';
import type { Fail, Wait } from '../verdict.ts';
import type { Subject } from './request-events.ts';
import { tryStatus, type WriteDeps } from './status-writer.ts';

/** The key is bad although it was checked when loaded: the request waits for the Secret. */
export function decideUnusable<R extends RequestRecord>(
  subject: Subject<R>,
  { secret }: LocalIssuance,
  error: TerminalError,
): Wait {
  subject.log.error({ err: error }, 'signed certificate not usable');
  return waitForUsable(reasonsOf(subject).unusable, secret, error.message);
}

/**
 * The API server rejected the chain without saying which certificate is invalid. A dry run with the issuer's
 * certificates alone tells whether they are at fault. If so, the request waits, since its requester cannot fix it.
 */
export async function decideRejected<R extends RequestRecord>(
  deps: Pick<WriteDeps, 'client'>,
  subject: Subject<R>,
  { authority, secret }: LocalIssuance,
  error: TerminalError,
): Promise<Wait | Fail> {
  const trial = authority && subject.kind.issuerTrial(authority.pem);
  const refusal = trial && (await tryStatus(deps, subject, trial));
  if (refusal === undefined) return failureFor(subject, error, secret);
  subject.log.error({ err: refusal }, 'CA certificates rejected by API server');
  const problem = rejection(subject, refusal);
  subject.handler?.reject(secret, problem);
  return waitForUsable(reasonsOf(subject).unusable, secret, problem);
}

/** Omits the API call and the name of the request, since the text is also used for the issuer. */
function rejection<R extends RequestRecord>({ kind }: Subject<R>, { message }: TerminalError): string {
  const at = message.indexOf(kind.invalidCertificate);
  const detail = at < 0 ? message : message.slice(at + kind.invalidCertificate.length);
  return `the API server rejects the CA certificates: issue new ones: ${detail}`;
}

/** The same certificate would be rejected every time, so the request must not be signed again. */
function failureFor<R extends RequestRecord>(
  subject: Subject<R>,
  { message }: TerminalError,
  secret: ObservedSecret,
): Fail {
  const reason = reasonsOf(subject).signingFailed;
  return { kind: 'fail', reason, message: reasons.SigningError.message(message), secret };
}

/** Only issuers with a handler sign; the default is never used. */
export function reasonsOf<R extends RequestRecord>({ handler }: Subject<R>) {
  return issuerTypes[handler?.type ?? ASSUMED_TYPE].reasons;
}
