// The ApprovalPolicy (approval.countersign.io/v1alpha1) as the API server stores it. `allowed` and `constraints` have
// the fields of approver-policy's CertificateRequestPolicy, so that both can be pasted unchanged. Types and names
// only. Pure.

import type { Condition, ObjectMeta } from '../../csr.ts';

export const POLICY_API_VERSION = 'approval.countersign.io/v1alpha1';
export const POLICY_KIND = 'ApprovalPolicy';
export const POLICY_PATH = `/apis/${POLICY_API_VERSION}/approvalpolicies`;

/** A CEL expression over one value (`self`) or over the whole request (`request`). */
export interface CelRule {
  readonly rule: string;
  readonly message?: string;
}

/** For attributes that a certificate has at most once. */
export interface AllowedString {
  readonly required?: boolean;
  readonly value?: string;
  readonly validations?: readonly CelRule[];
}

export interface AllowedStrings {
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly validations?: readonly CelRule[];
}

/** Values of one object identifier, in dotted notation. */
export interface AllowedOid extends AllowedStrings {
  readonly oid: string;
}

export interface AllowedSubject {
  readonly organizations?: AllowedStrings;
  readonly countries?: AllowedStrings;
  readonly organizationalUnits?: AllowedStrings;
  readonly localities?: AllowedStrings;
  readonly provinces?: AllowedStrings;
  readonly streetAddresses?: AllowedStrings;
  readonly postalCodes?: AllowedStrings;
  readonly serialNumber?: AllowedString;
  readonly otherAttributes?: readonly AllowedOid[];
}

/** What a request may contain. What is not mentioned must be absent. */
export interface Allowed {
  readonly commonName?: AllowedString;
  readonly dnsNames?: AllowedStrings;
  readonly ipAddresses?: AllowedStrings;
  readonly uris?: AllowedStrings;
  readonly emailAddresses?: AllowedStrings;
  readonly otherNames?: readonly AllowedOid[];
  readonly subject?: AllowedSubject;
  readonly isCA?: boolean;
  /** Ours: Secrets that the request may name for a SelfSigned issuer, in the annotation private-key-secret-name. */
  readonly privateKeySecretNames?: AllowedStrings;
  /** Ours: whether the request may carry X.509 name constraints, which are copied into the certificate. */
  readonly nameConstraints?: boolean;
  readonly usages?: readonly string[];
}

/** What a request must satisfy. What is not mentioned is not restricted. */
export interface Constraints {
  readonly minDuration?: string;
  readonly maxDuration?: string;
  readonly privateKey?: { readonly algorithm?: string; readonly minSize?: number; readonly maxSize?: number };
}

export interface PolicySubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  /** Of a ServiceAccount. */
  readonly namespace?: string;
}

export interface ApprovalPolicySpec {
  /** DryRun: report what the policy would do, and do nothing. */
  readonly mode?: 'Enforce' | 'DryRun';
  /** What happens to a request that the policy selects and does not allow. */
  readonly onMismatch?: 'Wait' | 'Deny';
  readonly signerNames?: readonly string[];
  readonly subjects?: readonly PolicySubject[];
  /** Without it, a policy with onMismatch: Deny is a guard, which only denies. */
  readonly allowed?: Allowed;
  readonly constraints?: Constraints;
  readonly rules?: readonly CelRule[];
}

export interface ApprovalPolicy {
  readonly metadata: ObjectMeta;
  readonly spec?: ApprovalPolicySpec;
  readonly status?: { readonly conditions?: readonly Condition[] };
}
