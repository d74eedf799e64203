// What a run asks its caller to do in addition to what it wrote: data, carried out by the controller.

import type { Reason } from '@countersign/common/reasons.ts';
import type { TerminalError } from '@countersign/common/runtime/errors.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { SecretRef } from './secret.ts';

/** How a run ended, for metrics: counted, never a reason to do anything. */
export interface Outcome {
  readonly result: 'ignored' | 'waiting' | 'failed' | 'issued' | 'repaired';
  readonly reason: Reason | undefined;
  readonly issuerType: string;
}

export type Effect =
  /** Look at the request again when the Secret is no longer at the version; undefined: absent. */
  | { readonly kind: 'wake-on-secret'; readonly ref: SecretRef; readonly version: string | undefined }
  /** Look at the request again after so many milliseconds. */
  | { readonly kind: 'look-again'; readonly afterMs: number }
  /** The Secret of the issuer proved missing or bad: its Ready condition may be wrong. */
  | { readonly kind: 'recheck-issuer'; readonly ref: SignerRef }
  /** The API server rejects a certificate as invalid, or one did not verify: somebody has to know. */
  | { readonly kind: 'count-refusal'; readonly error: TerminalError }
  /** `openMs`: how long the request could have been signed already, in milliseconds. */
  | { readonly kind: 'report'; readonly name: string; readonly outcome: Outcome; readonly openMs: number };
