// A Secret as observed for one decision: types only. Pure.

import type { Secret, SecretRef } from '@countersign/common/secret.ts';

/** Its reference, and its content unless it is absent. */
export interface ObservedSecret {
  readonly ref: SecretRef;
  /** The same object until its data changes. */
  readonly secret: Secret | undefined;
}
