// Fails a request that breaks a rule, with the first error, as cert-manager does. Pure.

import type { FieldError } from '@countersign/common/field-error.ts';
import type { Fail } from '../verdict.ts';

export function failFor([error]: readonly FieldError[]): Fail {
  if (error === undefined) throw new TypeError('a bad request has an error');
  return { kind: 'fail', reason: error.reason, message: error.message };
}
