// Reads the Secret that an issuer signs with, and gives a failed read the word that users have for it.

import { type Reason, reasons } from '@countersign/common/reasons.ts';
import { asRetryableError, RetryableError } from '@countersign/common/runtime/errors.ts';
import { formatSecretRef, type Secret, type SecretRef } from '../secret-reader.ts';
import type { IssuerDeps, ObservedSecret } from './issuer-type.ts';

/** A read that failed, said in an event by `reason`; tried again like any other failure. */
export class ObservationError extends RetryableError {
  readonly reason: Reason;

  constructor(reason: Reason, message: string, cause: unknown) {
    const { code, retryAfterMs } = asRetryableError(cause);
    super(message, { code, cause, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    this.reason = reason;
  }
}

type ReadFailure = 'SecretGetError' | 'ErrorGettingSecret';

/** The Secret, absent or not. Throws an ObservationError when the API server does not say. */
export async function observeSecret(deps: IssuerDeps, ref: SecretRef, reason: ReadFailure): Promise<ObservedSecret> {
  try {
    return { ref, secret: await deps.readSecret(ref) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ObservationError(reason, reasons[reason].message(formatSecretRef(ref), text), error);
  }
}

/** One value of a Secret as text; empty if it is absent. */
export function readPem(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
}
