// The rules of admission: what a request is about, and whether it is let in. Pure: everything that has to be known is an
// argument. Never gives warnings, and never lets anything in that the signer would fail for the request's own sake.

import { changedLockedAnnotations } from '@countersign/common/annotations.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { annotationField, type FieldError } from '@countersign/common/field-error.ts';
import { issuerType } from '@countersign/common/issuer.ts';
import { issuerTypes } from '@countersign/common/issuer-types.ts';
import { type Reason, reasons } from '@countersign/common/reasons.ts';
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

/** What a request is about, from the request alone. */
export type Matter =
  /** Another signer's CSR, or a change of nothing that is ours to guard. */
  | { readonly kind: 'not-ours' }
  /** Annotations that shape the certificate were changed. */
  | { readonly kind: 'locked'; readonly changed: readonly string[] }
  /** The CSR has to be judged; `ref` is undefined when its signer name can name no issuer. */
  | {
      readonly kind: 'judge';
      readonly csr: CertificateSigningRequest;
      readonly ref: SignerRef | undefined;
      /** Whether the requester has to hold the permission to reference the issuer. */
      readonly needsPermission: boolean;
    };

/** What is known about the world when a CSR is judged. */
export interface Observation {
  /** The answer of the access reviews; `unneeded` as a rule for a ClusterIssuer, which every requester may use. */
  readonly permission: 'granted' | 'missing' | 'unneeded';
  readonly issuer: IssuerKnowledge;
  /** The CAs of the issuer's chain that have name constraints, as far as they are known; none where the permission is missing. */
  readonly constrained: readonly ConstrainedCa[];
}

export type Decision =
  /** `requested` is undefined where another signer has to judge it. */
  | { readonly allowed: true; readonly requested?: RequestedCertificate | undefined }
  | ({ readonly allowed: false } & Refusal);

export function findMatter(request: AdmissionRequest, policy: RequestPolicy): Matter {
  if (!('object' in request)) return { kind: 'not-ours' };
  const signer = parseSignerName(request.object.spec.signerName);
  if (!signer.ok && signer.error.kind === 'foreign') return { kind: 'not-ours' };
  const ref = signer.ok ? signer.value : undefined;
  if (request.operation === 'CREATE') {
    return {
      kind: 'judge',
      csr: request.object,
      ref,
      needsPermission: ref !== undefined && needsPermission(ref, policy),
    };
  }
  // From its creation on, as spec is: between a look at a pending request and its approval it would be another one.
  const changed = changedLockedAnnotations(request.oldObject, request.object);
  return changed.length === 0 ? { kind: 'not-ours' } : { kind: 'locked', changed };
}

const NOTHING_KNOWN = { issuer: 'unknown', constrained: [] } as const;

/** All that is wrong is told at once: the missing permission first, then every rule that the CSR itself breaks. */
export function admit(
  matter: Matter,
  { permission, issuer, constrained }: Observation,
  { username, policy }: { readonly username: string; readonly policy: RequestPolicy },
): Decision {
  if (matter.kind === 'not-ours') return { allowed: true };
  if (matter.kind === 'locked') return refuse(422, matter.changed.map(lockedError));
  // Who may not use an issuer does not learn from the answer whether there is one, nor of what type.
  const known = permission === 'missing' ? NOTHING_KNOWN : { issuer, constrained };
  const requested = judge(matter.csr, policy, known);
  if (permission === 'missing' && matter.ref !== undefined) {
    return refuseReference(matter.ref, username, requested.ok ? [] : requested.error);
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
 * By the rules of the signer's part for the issuer's type: a SelfSigned one has some of its own. For a type that others sign with
 * nothing counts but what is checked before the type; the rest is for them to judge.
 */
function judge(
  csr: CertificateSigningRequest,
  policy: RequestPolicy,
  { issuer, constrained }: Pick<Observation, 'issuer' | 'constrained'>,
): Result<RequestedCertificate | undefined, readonly FieldError[]> {
  const type = typeof issuer === 'string' ? undefined : issuerType(issuer);
  if (type !== undefined && !issuerTypes[type].signedHere) {
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
  const besides = errors.length === 0 ? '' : `\n\nThe request is wrong besides:\n${formatFieldErrors(errors)}`;
  const text = denialText(ref, username).trimEnd() + besides;
  return refuse(403, [cause, ...errors], text);
}

function refuse(code: 403 | 422, causes: readonly FieldError[], text = formatFieldErrors(causes)): Decision {
  // refuse is never called without a cause; a refusal without a reason would be a bug, not an answer.
  const [first] = causes;
  if (first === undefined) throw new TypeError('a refusal needs a cause');
  const reason: Reason = first.reason;
  return { allowed: false, code, reason, message: text, causes };
}
