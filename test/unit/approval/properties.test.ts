// Properties of the evaluation, for random policies and requests.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import * as fc from 'fast-check';
import { compileAll, evaluateCsr, readEvaluationCases } from '../../support/approval/evaluation-cases.ts';
import { compiledPolicy, completeSpec } from '../../support/approval/written-policy.ts';
import { type WrittenRequest, writtenCsr } from '../../support/approval/written-request.ts';

const CASES = readEvaluationCases();
/** Compiled once, because that takes longer than an evaluation. */
const POLICIES = CASES.flatMap(({ policies }) => Object.values(policies)).map((spec, at) =>
  compiledPolicy(`policy-${at}`, completeSpec(spec)),
);
const CSRS = CASES.map(({ request }) => writtenCsr(request));

const policies = fc.subarray(POLICIES, { maxLength: 6 });
const csr = fc.constantFrom(...CSRS);

it('adding a policy never takes an approval away, unless it says Deny', () => {
  fc.assert(
    fc.property(policies, fc.constantFrom(...POLICIES), csr, (some, added, asked) => {
      fc.pre(added.onMismatch !== 'Deny');
      const { decision } = evaluateCsr(some, asked);
      if (decision.kind !== 'approve') return;
      assert.equal(evaluateCsr([...some, added], asked).decision.kind, 'approve');
    }),
    { numRuns: 2_000 },
  );
});

it('the order of the policies does not matter', () => {
  fc.assert(
    fc.property(policies, csr, (some, asked) =>
      assert.deepEqual(evaluateCsr(some.toReversed(), asked), evaluateCsr(some, asked)),
    ),
    { numRuns: 500 },
  );
});

it('a policy in DryRun mode changes no decision', () => {
  fc.assert(
    fc.property(policies, fc.constantFrom(...POLICIES), csr, (some, added, asked) => {
      const dry = { ...added, mode: 'DryRun' } as const;
      assert.deepEqual(evaluateCsr([...some, dry], asked).decision, evaluateCsr(some, asked).decision);
    }),
    { numRuns: 500 },
  );
});

const word = fc.constantFrom('a', 'b', 'a.b', 'team-a', '*.b', '');
const attribute = fc.constantFrom('CN', 'O', 'OU', 'serialNumber', 'emailAddress', '1.2.3.4');
const request: fc.Arbitrary<WrittenRequest> = fc.record({
  subject: fc.array(
    fc.tuple(attribute, word).map(([type, value]) => `${type}=${value}`),
    { maxLength: 4 },
  ),
  names: fc.array(
    fc.tuple(fc.constantFrom('dns', 'email', 'upn', 'directory', 'rid'), word).map(([kind, value]) => {
      return kind === 'rid' ? 'rid:1.2.3' : kind === 'directory' ? `directory:CN=${value}` : `${kind}:${value}`;
    }),
    { maxLength: 4 },
  ),
  isCA: fc.boolean(),
});
const values = fc.record({ values: fc.array(word, { maxLength: 3 }) });
const spec: fc.Arbitrary<ApprovalPolicySpec> = fc.record({
  allowed: fc.record(
    {
      dnsNames: values,
      emailAddresses: values,
      commonName: fc.record({ value: word }),
      subject: fc.record({ organizations: values }),
      isCA: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
});

/** What an approved request may contain, said in another way than the evaluation does. */
function countUnmentioned(
  { subject = [], names = [], isCA }: WrittenRequest,
  { allowed = {} }: ApprovalPolicySpec,
): number {
  const kinds: Record<string, unknown> = { dns: allowed.dnsNames, email: allowed.emailAddresses };
  const attributes: Record<string, unknown> = { CN: allowed.commonName, O: allowed.subject?.organizations };
  const isMentioned = (text: string, separator: string, known: Record<string, unknown>) =>
    known[text.split(separator)[0] ?? ''] !== undefined;
  return (
    names.filter(name => !isMentioned(name, ':', kinds)).length +
    subject.filter(text => !isMentioned(text, '=', attributes)).length +
    (isCA && !allowed.isCA ? 1 : 0)
  );
}

it('nothing is approved that the policy does not mention', () => {
  fc.assert(
    fc.property(spec, request, (written, asked) => {
      const { decision } = evaluateCsr(compileAll({ only: written }), writtenCsr(asked));
      if (countUnmentioned(asked, written) > 0) assert.notEqual(decision.kind, 'approve');
    }),
    { numRuns: 1_000 },
  );
});
