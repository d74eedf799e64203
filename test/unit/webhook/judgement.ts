// Runs one admission through the webhook's pure rules, from body to answer, like the handler, with the observed facts
// given as data. The only caller of these rules in this folder.

import assert from 'node:assert/strict';
import { PERMISSIVE_POLICY, type RequestPolicy } from '@countersign/common/request-policy.ts';
import { formatRef } from '@countersign/common/signer-name.ts';
import { allow, decodeAdmissionReview, deny } from '@countersign/webhook/admission-review.ts';
import { type AdmissionScope, admit, findScope, type Observation } from '@countersign/webhook/admit.ts';
import type { IssuerKnowledge } from '@countersign/webhook/issuer-view.ts';
import type { Admitted, SecretObservation } from '@countersign/webhook/observe.ts';
import { warningsFor } from '@countersign/webhook/warnings.ts';
import { assertAnswer, type ExpectedAnswer, type ReviewAnswer } from '../../support/admission-answers.ts';
import { ISSUERS, type Question, reviewOf } from '../../support/admission-reviews.ts';
import { valueOf } from '../../support/pki.ts';

export const NOW = new Date('2026-11-24T12:00:00Z');

/** The facts observed for a CSR. */
export interface Known {
  /** The result of the access review, if one is needed; defaults to `granted`. */
  readonly permission?: 'granted' | 'missing';
  /** Defaults to the issuer in ISSUERS. */
  readonly issuer?: IssuerKnowledge;
  readonly constrained?: Observation['constrained'];
  /** Defaults to a CA that outlives the requested certificate. */
  readonly secret?: SecretObservation;
  readonly policy?: RequestPolicy;
}

export interface UnitCase extends Question, ExpectedAnswer {
  readonly name: string;
  readonly known?: Known;
  /** Whether the answer depends on an access review; defaults to true for every CREATE. */
  readonly asksPermission?: boolean;
}

export function assertAdmission(item: UnitCase): void {
  const { asksPermission, answer } = judge(reviewOf(item), item.known);
  assert.equal(asksPermission, item.asksPermission ?? item.update === undefined);
  assertAnswer(answer, item);
}

export interface Judgement {
  readonly asksPermission: boolean;
  /** The answer after a JSON round trip. */
  readonly answer: ReviewAnswer;
}

const CERTIFICATE_ENDS = new Date(NOW.getTime() + 365 * 24 * 3_600_000);
const SECRET: SecretObservation = {
  ref: { namespace: 'sandbox', name: 'ca-pair' },
  facts: { exists: true, certificateExpiry: CERTIFICATE_ENDS },
};

/** Throws if the body cannot be decoded. */
export function judge(body: unknown, known: Known = {}): Judgement {
  const { policy = PERMISSIVE_POLICY, secret = SECRET } = known;
  const request = valueOf(decodeAdmissionReview(body));
  const scope = findScope(request, policy);
  const observation = observe(scope, known);
  const decision = admit(scope, observation, { username: request.userInfo.username ?? '', policy });
  const warn = (requested: Admitted['requested']) =>
    scope.kind === 'validate' && scope.ref !== undefined
      ? warningsFor({ csr: scope.csr, ref: scope.ref, requested, ...observation }, { now: NOW, secret, policy })
      : [];
  const answer = decision.allowed ? allow(request, warn(decision.requested)) : deny(request, decision);
  const asksPermission = scope.kind === 'validate' && scope.needsPermission;
  return { asksPermission, answer: JSON.parse(JSON.stringify(answer)) };
}

function observe(scope: AdmissionScope, { permission = 'granted', issuer, constrained = [] }: Known): Observation {
  if (scope.kind !== 'validate' || scope.ref === undefined) {
    return { permission: 'unneeded', issuer: 'unknown', constrained };
  }
  return {
    permission: scope.needsPermission ? permission : 'unneeded',
    issuer: issuer ?? ISSUERS[formatRef(scope.ref)] ?? 'missing',
    constrained,
  };
}
