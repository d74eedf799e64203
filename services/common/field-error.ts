// One rule that a CSR violates: field, reason and message. The webhook reports all of them, the signer the first one.
// The outcome is in reasons.ts.

import type { Reason } from './reasons/reasons.ts';

export interface FieldError {
  readonly reason: Reason;
  /**
   * Path of the field in the object, such as `spec.usages` or `metadata.annotations[experimental.cert-manager.io/ca]`.
   */
  readonly field: string;
  /** The message of the Failed condition. */
  readonly message: string;
  /** How to fix it, shown in the refusal; the condition has cert-manager's message only. */
  readonly remedy?: string;
}

/** The field path of an annotation, as the API server writes paths of map entries. */
export function annotationField(key: string): string {
  return `metadata.annotations[${key}]`;
}
