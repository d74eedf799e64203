// The rules of ACME and Venafi issuers as errors of a request, with cert-manager's reasons. Pure.

import type { FieldError } from '../field-error.ts';
import { reasons } from '../reasons/reasons.ts';
import { findAcmeProblem, findVenafiProblem, type NamedRequest } from './delegated-rules.ts';

/** The part of a request that these rules check. */
export interface DelegatedRequest {
  /** Undefined if the request cannot be parsed. */
  readonly named: NamedRequest | undefined;
}

export function acmeErrors({ named }: DelegatedRequest): readonly FieldError[] {
  const problem = named && findAcmeProblem(named);
  if (problem === undefined) return [];
  const remedy = 'request the common name as a DNS name or IP address too, or omit it';
  return [{ reason: 'InvalidOrder', field: 'spec.request', message: reasons.InvalidOrder.message(problem), remedy }];
}

export function venafiErrors({ named }: DelegatedRequest): readonly FieldError[] {
  const problem = named && findVenafiProblem(named);
  if (problem === undefined) return [];
  return [{ reason: 'ErrorRequest', field: 'spec.request', message: reasons.ErrorRequest.message(problem) }];
}
