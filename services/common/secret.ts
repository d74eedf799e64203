// A Secret, references to Secrets, and where the API has them. Pure.

import type { ObjectMeta } from './csr.ts';
import { showName } from './object-name.ts';

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** core/v1 Secret; `data` values are base64. */
export interface Secret {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
}

/** Formats a reference for messages and logs. */
export function formatSecretRef({ namespace, name }: SecretRef): string {
  return `${namespace}/${showName(name)}`;
}

export function secretPath({ namespace, name }: SecretRef): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
}
