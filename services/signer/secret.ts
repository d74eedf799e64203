// A Secret as the signer reads it, and how one is named. Pure.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { showName } from '@countersign/common/object-name.ts';

/** core/v1 Secret, as read; `data` values are base64. The same object is handed out until its data changes. */
export interface Secret {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
}

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** A Secret as it was seen: its reference, and its content unless it is absent. */
export interface ObservedSecret {
  readonly ref: SecretRef;
  readonly secret: Secret | undefined;
}

/** As it is shown and logged; see keyOf for what tells two Secrets apart. */
export function formatSecretRef({ namespace, name }: SecretRef): string {
  return `${namespace}/${showName(name)}`;
}
