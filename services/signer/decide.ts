// Decides what is to be done about one CSR, from what was observed: in cert-manager's order of checks, the first that
// applies wins. Pure: reads nothing, writes nothing, and takes the time as an argument.

import { type CertificateSigningRequest, isApproved, isDenied, isFailed, isIssued } from '@countersign/common/csr.ts';
import { type Issuer, isReady, issuerType } from '@countersign/common/issuer.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { validateDuration, validateSignerName } from '@countersign/common/validate-request.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import type { Issuance, IssuerTypeHandler, ObservedIssuer, ObservedSecret } from './issuers/issuer-type.ts';

/** All that was read for one decision. What comes later in the order of checks is absent where it was not needed. */
export interface Observation {
  readonly csr: CertificateSigningRequest;
  readonly ref: SignerRef;
  readonly issuer: Issuer | undefined;
  readonly policy: IssuancePolicy;
  /** The handler of the issuer's type, if this signer signs with that type. */
  readonly handler: IssuerTypeHandler | undefined;
  /** Whether the requester may reference the issuer; undefined where nothing demands it (ClusterIssuer, as a rule). */
  readonly mayReference: boolean | undefined;
  /** What the issuer signs with; undefined where an earlier check has decided. */
  readonly signer: ObservedIssuer | undefined;
}

/** What is known before the issuer is asked for what it signs with. */
type Known = Omit<Observation, 'signer'>;

export type Decision =
  | { readonly kind: 'ignore' }
  | { readonly kind: 'wait'; readonly reason: Reason; readonly message: string; readonly secret?: ObservedSecret }
  | { readonly kind: 'fail'; readonly reason: Reason; readonly message: string }
  | { readonly kind: 'issue'; readonly issuance: Issuance };

export type Triage =
  | { readonly kind: 'ignore' }
  /** With the issuer where that may still sign. */
  | { readonly kind: 'wait'; readonly reason: Reason; readonly message: string; readonly ref?: SignerRef }
  | { readonly kind: 'look'; readonly ref: SignerRef };

/** The checks that need the CSR alone (steps 1 to 7 of cert-manager's Sync). */
export function triage(csr: CertificateSigningRequest): Triage {
  const signer = parseSignerName(csr.spec.signerName);
  if (!signer.ok && signer.error.kind === 'foreign') return { kind: 'ignore' };
  if (csr.metadata.deletionTimestamp !== undefined || isFailed(csr) || isDenied(csr)) return { kind: 'ignore' };
  if (!signer.ok) return withoutSignerName(csr);
  const ref = signer.value;
  if (!isApproved(csr)) return { kind: 'wait', ...say('WaitingApproval', reasons.WaitingApproval.message()), ref };
  return isIssued(csr) ? { kind: 'ignore' } : { kind: 'look', ref };
}

/** cert-manager says nothing of it, and leaves it pending: as the spec cannot be changed, an approval would not help. */
function withoutSignerName(csr: CertificateSigningRequest): Triage {
  const [error] = validateSignerName(csr);
  return error === undefined || isIssued(csr)
    ? { kind: 'ignore' }
    : { kind: 'wait', ...say(error.reason, error.message) };
}

/** The checks from the issuer on (steps 8 to 15). `now` is when the certificate is signed. */
export function decide(observation: Observation, now: Date): Decision {
  return decideWithoutSigner(observation) ?? observation.signer?.decide(now) ?? { kind: 'ignore' };
}

/** Steps 8 to 14, which look at nothing that the issuer signs with; undefined when the issuer has the word. */
export function decideWithoutSigner(observation: Known): Decision | undefined {
  return (
    withoutIssuer(observation) ??
    withoutPermission(observation) ??
    withBadDuration(observation) ??
    withoutReadiness(observation)
  );
}

function withoutIssuer({ issuer, ref, handler }: Known): Decision | undefined {
  if (issuer === undefined) return { kind: 'wait', ...say('IssuerNotFound', reasons.IssuerNotFound.message(ref)) };
  if (issuerType(issuer) === undefined) {
    return { kind: 'wait', ...say('IssuerTypeMissing', reasons.IssuerTypeMissing.message(ref)) };
  }
  return handler === undefined ? { kind: 'ignore' } : undefined;
}

function withoutPermission({ mayReference, ref }: Known): Decision | undefined {
  if (mayReference !== false) return undefined;
  return { kind: 'fail', ...say('DeniedReference', reasons.DeniedReference.message(ref)) };
}

/** Only the rules on the duration come before the issuer's readiness; the issuer's type judges the rest of the shape. */
function withBadDuration({ csr, policy }: Known): Decision | undefined {
  const [error] = validateDuration(csr, policy);
  return error && { kind: 'fail', ...say(error.reason, error.message) };
}

function withoutReadiness({ issuer, ref }: Known): Decision | undefined {
  if (issuer !== undefined && isReady(issuer)) return undefined;
  return { kind: 'wait', ...say('IssuerNotReady', reasons.IssuerNotReady.message(ref)) };
}

function say(reason: Reason, message: string): { readonly reason: Reason; readonly message: string } {
  return { reason, message };
}
