// One rule that a CSR breaks: which field, why, in which words. The webhook shows all of them, the signer the first. Never
// says what follows from it: that is in reasons.ts.

import type { Reason } from './reasons.ts';

export interface FieldError {
  readonly reason: Reason;
  /** Path of the field in the object, such as `spec.usages` or `metadata.annotations[experimental.cert-manager.io/ca]`. */
  readonly field: string;
  /** The text that the signer would put into the Failed condition. */
  readonly message: string;
  /** What to do about it, for the reader of the refusal; the condition has cert-manager's text alone. */
  readonly remedy?: string;
}

/** Path of an annotation, in the form in which the API server writes the paths of map entries. */
export function annotationField(key: string): string {
  return `metadata.annotations[${key}]`;
}
