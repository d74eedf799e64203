// Reads test/vectors/approval/evaluate.yaml, and evaluates its cases.

import { type Evaluation, evaluate } from '@countersign/common/approval/evaluate.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import type { CompiledPolicy } from '@countersign/common/approval/policy/compiled-policy.ts';
import { askedBy } from '@countersign/common/approval/request/judged-request.ts';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import { readVectors } from '../vectors.ts';
import { compiledPolicy, completeSpec } from './written-policy.ts';
import { type WrittenRequest, writtenCsr } from './written-request.ts';

export interface EvaluationCase {
  /** A sentence about the behaviour: the name of the test. */
  readonly name: string;
  readonly policies: Readonly<Record<string, ApprovalPolicySpec>>;
  readonly request: WrittenRequest;
  /** `approve`, `deny`, or `wait` and its cause. */
  readonly decision: string;
  /** `rule field value`, by policy. */
  readonly mismatches?: Readonly<Record<string, readonly string[]>>;
}

export function readEvaluationCases(): readonly EvaluationCase[] {
  return readVectors('approval/evaluate.yaml');
}

export function compileAll(policies: EvaluationCase['policies']): readonly CompiledPolicy[] {
  return Object.entries(policies).map(([name, spec]) => compiledPolicy(name, completeSpec(spec)));
}

export function evaluateCsr(policies: readonly CompiledPolicy[], csr: CertificateSigningRequest): Evaluation {
  return evaluate(policies, toRequestedCertificate(csr, PERMISSIVE_POLICY), askedBy(csr));
}

/** The evaluation as a case writes it. */
export function summarize({ decision, perPolicy }: Evaluation): Pick<EvaluationCase, 'decision' | 'mismatches'> {
  const found = perPolicy.map(({ policy, mismatches }) => {
    return [policy, mismatches.map(({ rule, field, value }) => `${rule} ${field} ${value}`)] as const;
  });
  return {
    decision: decision.kind === 'wait' ? `wait ${decision.why}` : decision.kind,
    mismatches: Object.fromEntries(found.filter(([, mismatches]) => mismatches.length > 0)),
  };
}

export function evaluateCase({ policies, request }: EvaluationCase): Evaluation {
  return evaluateCsr(compileAll(policies), writtenCsr(request));
}
