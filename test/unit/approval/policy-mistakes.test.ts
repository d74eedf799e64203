// The mistakes of approval policies, case by case (test/vectors/approval/mistakes.yaml).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { compiledPolicy, completeSpec } from '../../support/approval/written-policy.ts';
import { readVectors } from '../../support/vectors.ts';

interface MistakeCase {
  readonly name: string;
  readonly spec: ApprovalPolicySpec;
  /** Whether signers and subjects are added. */
  readonly complete?: boolean;
  /** The beginning of each. */
  readonly mistakes?: readonly string[];
}

describe('the compilation of an approval policy', () => {
  for (const { name, spec, complete, mistakes = [] } of readVectors<readonly MistakeCase[]>('approval/mistakes.yaml')) {
    it(name, () => {
      const policy = compiledPolicy('team', complete ? completeSpec(spec) : spec);
      const found = policy.mistakes.map(({ field, message }) => `${field} ${message}`);
      assert.deepEqual(
        found.map((text, at) => (text.startsWith(mistakes[at] ?? '\0') ? mistakes[at] : text)),
        mistakes,
      );
    });
  }

  it('the compilation of an approval policy gives a policy with a mistake in its selection no selection', () => {
    assert.equal(compiledPolicy('team', {}).selection, undefined);
    assert.notEqual(compiledPolicy('team', completeSpec({ rules: [{ rule: 'x' }] })).selection, undefined);
  });
});
