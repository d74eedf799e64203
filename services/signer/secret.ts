// A Secret as the signer reads it, and references to Secrets. Pure.

import type { ObjectMeta } from '@countersign/common/csr.ts';
import { showName } from '@countersign/common/object-name.ts';

/** core/v1 Secret; `data` values are base64. The same object is returned until its data changes. */
export interface Secret {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
}

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** A Secret as observed: its reference, and its content unless it is absent. */
export interface ObservedSecret {
  readonly ref: SecretRef;
  readonly secret: Secret | undefined;
}

/** Formats a reference for messages and logs. To identify a Secret, use keyOf. */
export function formatSecretRef({ namespace, name }: SecretRef): string {
  return `${namespace}/${showName(name)}`;
}
