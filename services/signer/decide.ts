// Decides what is to be done about one request, from what was observed: in cert-manager's order of checks, the first that
// applies wins. The order stands here once: it also says what has to be read next. Pure: reads nothing, writes nothing, and takes
// the time as an argument.

import type { FieldError } from '@countersign/common/field-error.ts';
import { type Issuer, isReady, issuerType } from '@countersign/common/issuer.ts';
import { signingSecret } from '@countersign/common/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { isDurationError } from '@countersign/common/requested-duration.ts';
import type { Result } from '@countersign/common/result.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import type { Issuance, IssuerTypeHandler } from './issuers/issuer-type.ts';
import type { Fail, Wait } from './verdict.ts';

/** All that is known for one decision. What comes later in the order of checks is absent where it was not needed. */
export interface Observation {
  readonly ref: SignerRef;
  readonly policy: IssuancePolicy;
  /** Whether the requester has to hold the permission to reference the issuer. */
  readonly needsPermission: boolean;
  /** The Secret that the request names, for an issuer that leaves that to the requester. */
  readonly keySecretName: string | undefined;
  readonly issuer: Issuer | undefined;
  /** Of the issuer's type, if this signer signs requests of this kind with that type. */
  readonly handler: IssuerTypeHandler | undefined;
  /** What becomes of the request where there is none. */
  readonly whenNotServed: 'ignore' | 'wait';
  /** Whether the requester may reference the issuer. */
  readonly mayReference?: boolean;
  readonly requested?: Result<RequestedCertificate, readonly FieldError[]>;
  /** What the issuer signs with, as its handler has loaded it. */
  readonly material?: unknown;
}

/** What may have to be found out for a decision: each by its own member of Observation. */
export type Read = 'mayReference' | 'requested' | 'material';

export type Decision =
  | { readonly kind: 'ignore' }
  | Wait
  | Fail
  | { readonly kind: 'issue'; readonly issuance: Issuance };

/** What has to be read next; undefined when what is known is enough for a decision. */
export function nextRead(known: Observation): Read | undefined {
  const step = climb(known);
  return typeof step === 'string' ? step : undefined;
}

/** The checks from the issuer on (steps 8 to 15). `now` is when the certificate is signed. */
export function decide(known: Observation, now: Date): Decision {
  const step = climb(known);
  if (typeof step === 'string') throw new TypeError(`${step} was not observed`);
  if (step !== undefined) return step;
  const { handler, issuer, requested, material } = known;
  // What climb has seen to.
  if (handler === undefined || issuer === undefined || requested === undefined) return { kind: 'ignore' };
  return handler.decide({ ...known, issuer, requested }, material, now);
}

/** Steps 8 to 14: a decision, or what has to be read for it; undefined when the issuer has the word and can be asked. */
function climb(known: Observation): Decision | Read | undefined {
  return (
    withoutIssuer(known) ??
    withoutPermission(known) ??
    withBadDuration(known) ??
    withoutReadiness(known) ??
    withoutMaterial(known)
  );
}

function withoutIssuer({ issuer, ref, handler, whenNotServed }: Observation): Decision | undefined {
  if (issuer === undefined) return { kind: 'wait', ...say('IssuerNotFound', reasons.IssuerNotFound.message(ref)) };
  const type = issuerType(issuer);
  if (type === undefined) {
    return { kind: 'wait', ...say('IssuerTypeMissing', reasons.IssuerTypeMissing.message(ref)) };
  }
  if (handler !== undefined) return undefined;
  if (whenNotServed === 'ignore') return { kind: 'ignore' };
  return { kind: 'wait', ...say('IssuerTypeUnsupported', reasons.IssuerTypeUnsupported.message(ref, type)) };
}

function withoutPermission({ needsPermission, mayReference, ref }: Observation): Decision | Read | undefined {
  if (!needsPermission) return undefined;
  if (mayReference === undefined) return 'mayReference';
  return mayReference ? undefined : { kind: 'fail', ...say('DeniedReference', reasons.DeniedReference.message(ref)) };
}

/** Only the rules on the duration come before the issuer's readiness; the issuer's type judges the rest of the shape. */
function withBadDuration({ requested }: Observation): Decision | Read | undefined {
  if (requested === undefined) return 'requested';
  const error = requested.ok ? undefined : requested.error.find(isDurationError);
  return error && { kind: 'fail', ...say(error.reason, error.message) };
}

function withoutReadiness({ issuer, ref }: Observation): Decision | undefined {
  if (issuer !== undefined && isReady(issuer)) return undefined;
  return { kind: 'wait', ...say('IssuerNotReady', reasons.IssuerNotReady.message(ref)) };
}

function withoutMaterial({ issuer, keySecretName, material }: Observation): Read | undefined {
  const hasSecret = issuer && signingSecret(issuer.spec, keySecretName) !== undefined;
  return hasSecret && material === undefined ? 'material' : undefined;
}

function say(reason: Reason, message: string): { readonly reason: Reason; readonly message: string } {
  return { reason, message };
}
