// What a reconcile asks its caller to do beyond what it wrote: plain data, carried out by the controller.

import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import type { Reason } from '@countersign/common/reasons/reasons.ts';
import type { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { SecretRef } from '@countersign/common/secret.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';

/** How a reconcile ended. For metrics only; triggers nothing. */
export interface Outcome {
  readonly result: 'ignored' | 'waiting' | 'failed' | 'issued' | 'repaired';
  readonly reason: Reason | undefined;
  readonly issuerType: string;
}

export type Effect =
  /** Requeue the request when the Secret's resourceVersion differs from `version` (undefined: the Secret is absent). */
  | { readonly kind: 'wake-on-secret'; readonly ref: SecretRef; readonly version: string | undefined }
  /** Requeue the request after this many milliseconds. */
  | { readonly kind: 'requeue-after'; readonly afterMs: number }
  /** The issuer's Secret is missing or invalid, so its Ready condition may be out of date. */
  | { readonly kind: 'recheck-issuer'; readonly ref: SignerRef }
  /** The API server rejected a certificate as invalid, or its signature did not verify: an operator has to act. */
  | { readonly kind: 'count-refusal'; readonly error: TerminalError }
  /** Another signer ended a request that this one was to sign. */
  | { readonly kind: 'count-other-signer'; readonly issuerType: IssuerType }
  /** `openMs`: milliseconds since the request could first be signed. */
  | { readonly kind: 'report'; readonly name: string; readonly outcome: Outcome; readonly openMs: number };
