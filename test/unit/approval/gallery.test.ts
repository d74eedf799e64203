// The policies of docs/approval.md are valid, and decide as the page says (test/vectors/approval/gallery.yaml).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createCelCompiler } from '@countersign/common/approval/cel/cel-program.ts';
import {
  type ApprovalPolicy,
  POLICY_API_VERSION,
  POLICY_KIND,
} from '@countersign/common/approval/policy/approval-policy.ts';
import { compilePolicy } from '@countersign/common/approval/policy/compile-policy.ts';
import { parse } from 'yaml';
import { evaluateCsr } from '../../support/approval/evaluation-cases.ts';
import { type WrittenRequest, writtenCsr } from '../../support/approval/written-request.ts';
import { readVectors } from '../../support/vectors.ts';

type Written = ApprovalPolicy & { readonly apiVersion: string; readonly kind: string };

const PAGE = readFileSync(new URL('../../../docs/approval.md', import.meta.url), 'utf8');
const CEL = createCelCompiler();
const POLICIES = [...PAGE.matchAll(/```yaml\n(apiVersion: [^]*?)```/g)].map(([, text = '']) => parse(text) as Written);
const CASES = parseMerged(readVectors<unknown>('approval/gallery.yaml'));

type Decisions = Readonly<Record<string, readonly WrittenRequest[]>>;

/** The reader of vectors leaves merge keys (<<) in the objects. */
function parseMerged(cases: unknown): Readonly<Record<string, Decisions>> {
  return JSON.parse(JSON.stringify(cases), (_, value) => {
    if (typeof value !== 'object' || value === null || !('<<' in value)) return value;
    const { '<<': base, ...own } = value;
    return { ...base, ...own };
  });
}

it('the page has a gallery, with cases for each of its policies', () => {
  assert.ok(POLICIES.length > 10);
  assert.deepEqual(
    Object.keys(CASES),
    POLICIES.map(({ metadata }) => metadata.name),
  );
});

for (const policy of POLICIES) {
  const { name } = policy.metadata;
  describe(`the policy ${name} of the page`, () => {
    const compiled = compilePolicy(policy, CEL);

    it(`the policy ${name} of the page is an ApprovalPolicy without mistakes`, () => {
      assert.deepEqual([policy.apiVersion, policy.kind], [POLICY_API_VERSION, POLICY_KIND]);
      assert.deepEqual(compiled.mistakes, []);
    });

    for (const [decision, requests] of Object.entries(CASES[name] ?? {})) {
      for (const [at, request] of requests.entries()) {
        it(`decides as expected: ${decision} ${at}`, () =>
          assert.equal(evaluateCsr([compiled], writtenCsr(request)).decision.kind, decision));
      }
    }
  });
}
