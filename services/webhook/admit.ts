// The admission rules: which requests are in scope, and whether a request is admitted. Pure: all facts are arguments.
// Never produces warnings, and never admits a CSR that the signer would fail because of the CSR itself.

import { changedImmutableAnnotations } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { annotationField, type FieldError } from '@countersign/common/field-error.ts';
import { issuerType } from '@countersign/common/issuers/issuer.ts';
import { isServed } from '@countersign/common/issuers/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { denialText, needsPermission } from '@countersign/common/reference-permission.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { validateDuration } from '@countersign/common/requested-duration.ts';
import { err, ok, type Result } from '@countersign/common/result.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { toRequestedCertificate, validateName } from '@countersign/common/validate-request.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { type AdmissionRequest, formatFieldErrors, type Refusal } from './admission-review.ts';
import type { IssuerKnowledge } from './issuer-view.ts';

/** How a request has to be handled, derived from the request alone. */
export type AdmissionScope =
  /** A CSR for another signer, or an update that changes no locked annotation. */
  | { readonly kind: 'not-ours' }
  /** Annotations that determine the certificate were changed. */
  | { readonly kind: 'locked'; readonly changed: readonly string[] }
  /**
   * The CSR has to be validated; `ref` is undefined when its signer name is malformed, so that no issuer can match it.
   */
  | {
      readonly kind: 'validate';
      readonly csr: CertificateSigningRequest;
      readonly ref: SignerRef | undefined;
      /** Whether the requester needs permission to reference the issuer. */
      readonly needsPermission: boolean;
    };

/** Facts from the cluster that the decision depends on. */
export interface Observation {
  /** The result of the access reviews; usually `unneeded` for a ClusterIssuer, which every requester may use. */
  readonly permission: 'granted' | 'missing' | 'unneeded';
  readonly issuer: IssuerKnowledge;
  /** The known CAs in the issuer's chain that have name constraints; empty if the permission is missing. */
  readonly constrained: readonly ConstrainedCa[];
}

export type Decision =
  /** `requested` is undefined if another signer validates the request. */
  | { readonly allowed: true; readonly requested?: RequestedCertificate | undefined }
  | ({ readonly allowed: false } & Refusal);

export function findScope(request: AdmissionRequest, policy: RequestPolicy): AdmissionScope {
  if (!('object' in request)) return { kind: 'not-ours' };
  const signer = parseSignerName(request.object.spec.signerName, policy.externalIssuers);
  if (!signer.ok && signer.error.kind === 'foreign') return { kind: 'not-ours' };
  const ref = signer.ok ? signer.value : undefined;
  if (request.operation === 'CREATE') {
    return {
      kind: 'validate',
      csr: request.object,
      ref,
      needsPermission: ref !== undefined && needsPermission(ref, policy),
    };
  }
  // Immutable from creation on, like spec: otherwise a request could change between its review and its approval.
  const changed = changedImmutableAnnotations(request.oldObject, request.object);
  return changed.length === 0 ? { kind: 'not-ours' } : { kind: 'locked', changed };
}

const NOTHING_KNOWN = { issuer: 'unknown', constrained: [] } as const;

/** Reports all errors at once: the missing permission first, then every rule that the CSR violates. */
export function admit(
  scope: AdmissionScope,
  { permission, issuer, constrained }: Observation,
  { username, policy }: { readonly username: string; readonly policy: RequestPolicy },
): Decision {
  if (scope.kind === 'not-ours') return { allowed: true };
  if (scope.kind === 'locked') return refuse(422, scope.changed.map(lockedError));
  // The answer must not reveal whether an issuer exists, or its type, to requesters who may not use it.
  const known = permission === 'missing' ? NOTHING_KNOWN : { issuer, constrained };
  const requested = validate(scope.csr, policy, known);
  if (permission === 'missing' && scope.ref !== undefined) {
    return refuseReference(scope.ref, username, requested.ok ? [] : requested.error);
  }
  return requested.ok ? { allowed: true, requested: requested.value } : refuse(422, requested.error);
}

function lockedError(key: string): FieldError {
  return {
    reason: 'ImmutableAnnotation',
    field: annotationField(key),
    message: reasons.ImmutableAnnotation.message(key),
    remedy: 'delete the CSR and create a new one instead',
  };
}

/**
 * Applies the signer's rules for the issuer type: SelfSigned issuers have additional ones. For types that other signers
 * handle, only the rules that come before the type apply; those signers check the rest.
 */
function validate(
  csr: CertificateSigningRequest,
  policy: RequestPolicy,
  { issuer, constrained }: Pick<Observation, 'issuer' | 'constrained'>,
): Result<RequestedCertificate | undefined, readonly FieldError[]> {
  const type = typeof issuer === 'string' ? undefined : issuerType(issuer);
  if (type !== undefined && !isServed(type, policy)) {
    const errors = validateDuration(csr, policy);
    return errors.length > 0 ? err(errors) : ok(undefined);
  }
  const requested = toRequestedCertificate(csr, policy, { type, constrained });
  const errors = [...validateName(csr), ...(requested.ok ? [] : requested.error)];
  return errors.length > 0 ? err(errors) : requested;
}

function refuseReference(ref: SignerRef, username: string, errors: readonly FieldError[]): Decision {
  const message = reasons.DeniedReference.message(ref);
  const cause: FieldError = { reason: 'DeniedReference', field: 'spec.signerName', message };
  const otherErrors = errors.length === 0 ? '' : `\n\nThe request also has these errors:\n${formatFieldErrors(errors)}`;
  const text = denialText(ref, username).trimEnd() + otherErrors;
  return refuse(403, [cause, ...errors], text);
}

/** The first cause gives the reason. */
export function refuse(
  code: 403 | 422,
  causes: readonly FieldError[],
  text = formatFieldErrors(causes),
): Decision & { readonly allowed: false } {
  // A denial always has a reason; an empty list of causes is a bug.
  const [first] = causes;
  if (first === undefined) throw new TypeError('a refusal needs a cause');
  const reason: Reason = first.reason;
  return { allowed: false, code, reason, message: text, causes };
}
