// Why a request is not signed yet, or never. Types only.

import type { Reason } from '@countersign/common/reasons/reasons.ts';
import type { ObservedSecret } from './secret.ts';

export interface Wait {
  readonly kind: 'wait';
  readonly reason: Reason;
  readonly message: string;
  /** Requeues the request when this Secret changes. */
  readonly secret?: ObservedSecret;
  /** Requeues the request after this many milliseconds. */
  readonly requeueAfterMs?: number;
  /** The event is recorded only for a request that has waited for this long, in milliseconds. */
  readonly announceAfterMs?: number;
}

export interface Fail {
  readonly kind: 'fail';
  readonly reason: Reason;
  readonly message: string;
  /** The Secret that the issuer signs with, if a change to it could change the verdict. */
  readonly secret?: ObservedSecret;
}
