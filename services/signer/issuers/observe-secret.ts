// Reads an issuer's signing Secret, maps failed reads to reasons, and explains values that are not PEM.

import { explainContent, type Wanted } from '@countersign/common/file-content.ts';
import type { IssuerReasons } from '@countersign/common/issuers/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { err, type Result } from '@countersign/common/result.ts';
import { asRetryableError, RetryableError } from '@countersign/common/runtime/errors.ts';
import { formatSecretRef, type Secret, type SecretRef } from '@countersign/common/secret.ts';
import type { ObservedSecret } from '../secret.ts';

/** A failed read, reported in an event with `reason` and retried like any other failure. */
export class ObservationError extends RetryableError {
  readonly reason: Reason;

  constructor(reason: Reason, message: string, cause: unknown) {
    const { code, retryAfterMs } = asRetryableError(cause);
    super(message, { code, cause, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    this.reason = reason;
  }
}

/** Returns the Secret, or that it is absent. Throws an ObservationError with `reason` if the read fails. */
export async function observeSecret(
  reading: Promise<Secret | undefined>,
  ref: SecretRef,
  reason: IssuerReasons['secretReadFailed'],
): Promise<ObservedSecret> {
  try {
    return { ref, secret: await reading };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ObservationError(reason, reasons[reason].message(formatSecretRef(ref), text), error);
  }
}

/** Returns one value of a Secret as latin1, which preserves binary data; empty if absent. */
export function readPem(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1');
}

/** Adds to an error what the value is, if that can be determined, and how to fix it. */
export function explained<T>(result: Result<T>, pem: string, wanted: Wanted): Result<T> {
  const mistake = result.ok ? undefined : explainContent(Buffer.from(pem, 'latin1'), wanted);
  return result.ok || mistake === undefined ? result : err(`${result.error}; ${mistake}`);
}
