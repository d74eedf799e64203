// What becomes of a request whose certificate proved unusable once it was signed: it does not verify, or the API server rejects it.
// Whose fault that is decides. Writes nothing but on trial.

import { issuerTypes } from '@countersign/common/issuer-types.ts';
import { reasons } from '@countersign/common/reasons.ts';
import type { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { LocalIssuance } from '../issuers/issuer-type.ts';
import { waitForUsable } from '../issuers/unusable-secret.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import type { ObservedSecret } from '../secret.ts';
import type { Fail, Wait } from '../verdict.ts';
import type { Subject } from './request-events.ts';
import { tryStatus, type WriteDeps } from './status-writer.ts';

/** The key has proved bad although it was checked when it was loaded: the request waits for the Secret. */
export function insteadOfUnusable<R extends RequestRecord>(
  subject: Subject<R>,
  { secret }: LocalIssuance,
  error: TerminalError,
): Wait {
  subject.log.error({ err: error }, 'certificate not usable');
  return waitForUsable(reasonsOf(subject).unusable, secret, error.message);
}

/**
 * The API server rejects the certificate as invalid, and does not say which one of the chain. Whether it is the issuer's is asked
 * without a trace: its certificates alone are written on trial. Then the request waits, since no requester can fix it.
 */
export async function insteadOfRefused<R extends RequestRecord>(
  deps: Pick<WriteDeps, 'client'>,
  subject: Subject<R>,
  { authority, secret }: LocalIssuance,
  error: TerminalError,
): Promise<Wait | Fail> {
  const trial = authority && subject.kind.issuerTrial(authority.pem);
  const refusal = trial && (await tryStatus(deps, subject, trial));
  if (refusal === undefined) return failureFor(subject, error, secret);
  subject.log.error({ err: refusal }, 'certificates of issuer refused');
  const problem = rejection(subject, refusal);
  subject.handler?.reject(secret, problem);
  return waitForUsable(reasonsOf(subject).unusable, secret, problem);
}

/** Without the call and the name of the request, for it is said of the issuer too. */
function rejection<R extends RequestRecord>({ kind }: Subject<R>, { message }: TerminalError): string {
  const at = message.indexOf(kind.invalidCertificate);
  const detail = at < 0 ? message : message.slice(at + kind.invalidCertificate.length);
  return `the API server rejects the certificates of the CA, issue new ones: ${detail}`;
}

/** The same certificate would always be rejected: the request must not be signed again at each look. */
function failureFor<R extends RequestRecord>(
  subject: Subject<R>,
  { message }: TerminalError,
  secret: ObservedSecret,
): Fail {
  const reason = reasonsOf(subject).signingFailed;
  return { kind: 'fail', reason, message: reasons.SigningError.message(message), secret };
}

/** Something is signed only for an issuer that has a handler. */
export function reasonsOf<R extends RequestRecord>({ handler }: Subject<R>) {
  return issuerTypes[handler?.type ?? 'ca'].reasons;
}
