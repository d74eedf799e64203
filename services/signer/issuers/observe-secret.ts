// Reads the Secret that an issuer signs with, and gives a failed read the word that users have for it, and a value that is no PEM
// what it is instead.

import { explainContent, type Wanted } from '@countersign/common/file-content.ts';
import type { IssuerReasons } from '@countersign/common/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import { err, type Result } from '@countersign/common/result.ts';
import { asRetryableError, RetryableError } from '@countersign/common/runtime/errors.ts';
import type { ObservedSecret } from '../secret.ts';
import { formatSecretRef, type Secret, type SecretRef } from '../secret.ts';

/** A read that failed, said in an event by `reason`; tried again like any other failure. */
export class ObservationError extends RetryableError {
  readonly reason: Reason;

  constructor(reason: Reason, message: string, cause: unknown) {
    const { code, retryAfterMs } = asRetryableError(cause);
    super(message, { code, cause, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    this.reason = reason;
  }
}

/** The Secret, absent or not. Throws an ObservationError with `reason` when the API server does not say. */
export async function observeSecret(
  reading: Promise<Secret | undefined>,
  ref: SecretRef,
  reason: IssuerReasons['secretUnread'],
): Promise<ObservedSecret> {
  try {
    return { ref, secret: await reading };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ObservationError(reason, reasons[reason].message(formatSecretRef(ref), text), error);
  }
}

/** One value of a Secret, one character for each byte, so that what is no text stays what it is; empty if it is absent. */
export function readPem(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1');
}

/** What was read of such a value; an error also says what the value is, where that can be told, and what to do. */
export function explained<T>(result: Result<T>, pem: string, wanted: Wanted): Result<T> {
  const mistake = result.ok ? undefined : explainContent(Buffer.from(pem, 'latin1'), wanted);
  return result.ok || mistake === undefined ? result : err(`${result.error}; ${mistake}`);
}
