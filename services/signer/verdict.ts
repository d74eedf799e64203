// Why a request is not signed: types alone. Whoever looks at a request, its issuer or its permission may come to one of them.

import type { Reason } from '@countersign/common/reasons.ts';
import type { ObservedSecret } from './secret.ts';

export interface Wait {
  readonly kind: 'wait';
  readonly reason: Reason;
  readonly message: string;
  /** The request is looked at again when this Secret changes. */
  readonly secret?: ObservedSecret;
  /** The request is looked at again after so many milliseconds. */
  readonly lookAgainAfterMs?: number;
}

export interface Fail {
  readonly kind: 'fail';
  readonly reason: Reason;
  readonly message: string;
  /** What the issuer signs with, where another Secret might give another answer. */
  readonly secret?: ObservedSecret;
}
