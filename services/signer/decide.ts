// Decides what to do about one request, given what was observed. Follows cert-manager's order of checks: the first
// match wins. The order is defined once, here, and also determines what to read next. Pure: reads and writes nothing;
// the time is an argument.

import type { FieldError } from '@countersign/common/field-error.ts';
import { type Issuer, isReady, issuerType } from '@countersign/common/issuers/issuer.ts';
import { signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { isDurationError } from '@countersign/common/requested-duration.ts';
import type { Result } from '@countersign/common/result.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import type { Issuance, IssuerTypeHandler } from './issuers/issuer-type.ts';
import type { Fail, Wait } from './verdict.ts';

/** Everything known for one decision. Members for later checks are absent if they were not needed. */
export interface Observation {
  readonly ref: SignerRef;
  readonly policy: IssuancePolicy;
  /** Whether the requester needs permission to reference the issuer. */
  readonly needsPermission: boolean;
  /** The Secret named by the request, for issuer types that let the requester choose it. */
  readonly keySecretName: string | undefined;
  readonly issuer: Issuer | undefined;
  /** The handler for the issuer's type, if it can sign requests of this kind. */
  readonly handler: IssuerTypeHandler | undefined;
  /** What happens to the request if there is no handler. */
  readonly whenNotServed: 'ignore' | 'wait';
  /** Whether the requester may reference the issuer. */
  readonly mayReference?: boolean;
  readonly requested?: Result<RequestedCertificate, readonly FieldError[]>;
  /** Whether an approval policy must still allow the request. */
  readonly needsApprovalPolicy?: boolean;
  /** What the approval policies say; `problem` is undefined if one allows the request. */
  readonly approval?: { readonly problem: string | undefined };
  /** The signing material, as loaded by the handler. */
  readonly material?: unknown;
}

/** What may need to be read for a decision. Each is a member of Observation. */
export type Read = 'mayReference' | 'requested' | 'material' | 'approval';

export type Decision =
  | { readonly kind: 'ignore' }
  | Wait
  | Fail
  | { readonly kind: 'issue'; readonly issuance: Issuance };

/** Returns what to read next, or undefined if enough is known to decide. */
export function nextRead(known: Observation): Read | undefined {
  const step = nextStep(known);
  return typeof step === 'string' ? step : undefined;
}

/** Runs checks 8 to 15, from the issuer on. `now` is the time of signing. */
export function decide(known: Observation, now: Date): Decision {
  const step = nextStep(known);
  if (typeof step === 'string') throw new TypeError(`${step} was not observed`);
  if (step !== undefined) return step;
  const { handler, issuer, requested, material } = known;
  // Guaranteed by nextStep.
  if (handler === undefined || issuer === undefined || requested === undefined) return { kind: 'ignore' };
  return handler.decide({ ...known, issuer, requested }, material, now);
}

/** Steps 8 to 14: returns a decision or what to read next; undefined when only the issuer can decide. */
function nextStep(known: Observation): Decision | Read | undefined {
  return (
    checkIssuer(known) ??
    checkPermission(known) ??
    checkDuration(known) ??
    checkReadiness(known) ??
    checkMaterial(known) ??
    checkApproval(known)
  );
}

function checkIssuer({ issuer, ref, handler, whenNotServed }: Observation): Decision | undefined {
  if (issuer === undefined)
    return { kind: 'wait', ...withReason('IssuerNotFound', reasons.IssuerNotFound.message(ref)) };
  const type = issuerType(issuer);
  if (type === undefined) {
    return { kind: 'wait', ...withReason('IssuerTypeMissing', reasons.IssuerTypeMissing.message(ref)) };
  }
  if (handler !== undefined) return undefined;
  if (whenNotServed === 'ignore') return { kind: 'ignore' };
  return { kind: 'wait', ...withReason('IssuerTypeUnsupported', reasons.IssuerTypeUnsupported.message(ref, type)) };
}

function checkPermission({ needsPermission, mayReference, ref }: Observation): Decision | Read | undefined {
  if (!needsPermission) return undefined;
  if (mayReference === undefined) return 'mayReference';
  return mayReference
    ? undefined
    : { kind: 'fail', ...withReason('DeniedReference', reasons.DeniedReference.message(ref)) };
}

/** Only duration rules precede the issuer's readiness; the issuer type checks the other rules. */
function checkDuration({ requested }: Observation): Decision | Read | undefined {
  if (requested === undefined) return 'requested';
  const error = requested.ok ? undefined : requested.error.find(isDurationError);
  return error && { kind: 'fail', ...withReason(error.reason, error.message) };
}

function checkReadiness({ issuer, ref }: Observation): Decision | undefined {
  if (issuer !== undefined && isReady(issuer)) return undefined;
  return { kind: 'wait', ...withReason('IssuerNotReady', reasons.IssuerNotReady.message(ref)) };
}

function checkMaterial({ issuer, keySecretName, material }: Observation): Read | undefined {
  const hasSecret = issuer && signingSecret(issuer.spec, keySecretName) !== undefined;
  return hasSecret && material === undefined ? 'material' : undefined;
}

/** Not in cert-manager. A request that cannot be signed fails for its own reason, whatever the policies say. */
function checkApproval({ needsApprovalPolicy, requested, approval }: Observation): Decision | Read | undefined {
  if (needsApprovalPolicy !== true || requested?.ok !== true) return undefined;
  if (approval === undefined) return 'approval';
  const { problem } = approval;
  if (problem === undefined) return undefined;
  return { kind: 'wait', ...withReason('ApprovalPolicyRequired', reasons.ApprovalPolicyRequired.message(problem)) };
}

function withReason(reason: Reason, message: string): { readonly reason: Reason; readonly message: string } {
  return { reason, message };
}
