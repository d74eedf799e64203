// Expected answers of the webhook, and assertions that compare whole answers, including causes and warnings.

import assert from 'node:assert/strict';
import {
  REQUEST_DURATION as DURATION,
  PRIVATE_KEY_SECRET_NAME as KEY_SECRET,
} from '@countersign/common/annotations.ts';
import { denialText } from '@countersign/common/reference-permission.ts';

export interface ExpectedRefusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string | RegExp;
}

export interface ExpectedAnswer {
  readonly allowed: true | ExpectedRefusal;
  /** `reason field` of each cause; defaults to none. */
  readonly causes?: readonly string[];
  /** Defaults to none. */
  readonly warnings?: readonly string[];
}

export interface Status {
  readonly code: number;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly details?: {
    readonly kind: string;
    readonly name: string;
    readonly causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[];
  };
}

/** The AdmissionReview in the response, parsed from JSON. */
export interface ReviewAnswer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: Status;
    readonly warnings?: readonly string[];
  };
}

/** Compares the answer to a `review()`. */
export function assertAnswer({ apiVersion, kind, response }: ReviewAnswer, expected: ExpectedAnswer): void {
  assert.deepEqual([apiVersion, kind], ['admission.k8s.io/v1', 'AdmissionReview']);
  assert.equal(response.uid, 'uid-1');
  assert.equal(response.allowed, expected.allowed === true);
  if (expected.allowed === true) assert.equal(response.status, undefined);
  else assertStatus(response.status, expected.allowed, expected.causes ?? []);
  assert.deepEqual(response.warnings ?? [], expected.warnings ?? []);
}

function assertStatus(status: Status | undefined, expected: ExpectedRefusal, causes: readonly string[]): void {
  assert.ok(status);
  assert.deepEqual([status.code, status.reason, status.status], [expected.code, expected.reason, 'Failure']);
  if (typeof expected.message === 'string') assert.equal(status.message, expected.message);
  else assert.match(status.message, expected.message);
  const actual = (status.details?.causes ?? []).map(({ reason, field }) => `${reason} ${field}`);
  assert.deepEqual(actual, causes);
  if (causes.length === 0) return;
  assert.deepEqual([status.details?.kind, status.details?.name], ['CertificateSigningRequest', 'my-request']);
}

export const DENIAL = denialText({ kind: 'Issuer', namespace: 'sandbox', name: 'ca' }, 'jane').trimEnd();
export const CLUSTER_DENIAL = denialText({ kind: 'ClusterIssuer', namespace: '', name: 'ca' }, 'jane').trimEnd();
export const DURATION_FIELD = `metadata.annotations[${DURATION}]`;
export const SECRET_FIELD = `metadata.annotations[${KEY_SECRET}]`;
export const BAD_DURATION = `${DURATION_FIELD}: Failed to parse requested duration: failed to parse requested duration on annotation "${DURATION}": time: invalid duration "foo" (ErrorParseDuration)`;
export const BAD_USAGES =
  'spec.usages: Error generating certificate template: unknown key usages: [foo] (SigningError)';
export const MISSING_ANNOTATION = `${SECRET_FIELD}: Missing private key reference annotation: "${KEY_SECRET}" (MissingAnnotation)`;

export const DENIED: ExpectedAnswer = {
  allowed: { code: 403, reason: 'DeniedReference', message: DENIAL },
  causes: ['DeniedReference spec.signerName'],
};

/** The answer to a change of this locked annotation. */
export const locked = (key: string): ExpectedAnswer => ({
  allowed: {
    code: 422,
    reason: 'ImmutableAnnotation',
    message: `metadata.annotations[${key}]: Annotation "${key}" is immutable because it is part of the request; delete the CSR and create a new one instead (ImmutableAnnotation)`,
  },
  causes: [`ImmutableAnnotation metadata.annotations[${key}]`],
});

/** The answer to a request for these names if the CA `sub` may sign only names below example.com. */
export const beyondConstraints = (...names: readonly string[]): ExpectedAnswer => ({
  allowed: {
    code: 422,
    reason: 'NameConstraintViolation',
    message: names
      .map(
        name =>
          `spec.request: The name constraints of the CA "CN=sub" do not permit the DNS name "${name}"; permitted: "example.com"; request another name or use another issuer (NameConstraintViolation)`,
      )
      .join('\n'),
  },
  causes: names.map(() => 'NameConstraintViolation spec.request'),
});
