// With --require-approval-policy, the signer signs only what an ApprovalPolicy allows at that time; without it, an
// approval is enough.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evaluate } from '@countersign/common/approval/evaluate.ts';
import type { ApprovalPolicySpec } from '@countersign/common/approval/policy/approval-policy.ts';
import { approverSelector } from '@countersign/common/approval/policy/select-policies.ts';
import { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import { compileAll } from '../../support/approval/evaluation-cases.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { until } from '../../support/until.ts';
import { CSRS, start } from './controller-harness.ts';
import { REVIEW, SECRET } from './reconcile-harness.ts';
import { ISSUED, PATCH, SignerHarness } from './signer-harness.ts';

const SIGNER: ApprovalPolicySpec = {
  signerNames: ['issuers.cert-manager.io/sandbox.my-ca'],
  subjects: [{ kind: 'User', name: 'jane' }],
};
const ALLOWED = { usages: ['digital signature', 'key encipherment', 'server auth', 'client auth'] };
const ANY_NAME = {
  commonName: { value: '*' },
  dnsNames: { values: ['*'] },
  subject: { organizations: { values: ['*'] } },
};

type Policies = Readonly<Record<string, ApprovalPolicySpec>>;

/** A signer that knows these policies; undefined: it does not know yet which policies there are. */
async function runWith(policies: Policies | undefined, harness = new SignerHarness()): Promise<SignerHarness> {
  const compiled = policies && compileAll(policies);
  const approvals: Pick<PolicyCache, 'evaluate'> = {
    evaluate: (requested, asked) =>
      compiled && {
        ...evaluate(compiled, requested, asked),
        isSignerNamed: compiled.some(approverSelector(asked.signerName)),
      },
  };
  await harness.run(0, { ...harness.deps, approvals });
  return harness;
}

const ALLOWING: Policies = { web: { ...SIGNER, allowed: { ...ALLOWED, ...ANY_NAME } } };
const WAITS = 'Warning ApprovalPolicyRequired: Approved, but not signed without an ApprovalPolicy that allows it: ';

describe('an approved CSR', () => {
  test('that a policy allows is signed', async () => {
    const { client, asked } = await runWith(ALLOWING);
    assert.deepEqual(asked, [REVIEW, SECRET, PATCH]);
    assert.deepEqual(client.events, [ISSUED]);
  });

  test('that no policy selects waits, and the event does not advise to approve it', async () => {
    const { client, asked, outcomes } = await runWith({});
    assert.deepEqual(asked, [REVIEW, SECRET]);
    assert.deepEqual(client.events, [
      `${WAITS}No ApprovalPolicy selects requests of jane for signer issuers.cert-manager.io/sandbox.my-ca`,
    ]);
    assert.deepEqual(outcomes, [{ result: 'waiting', reason: 'ApprovalPolicyRequired', issuerType: 'ca' }]);
  });

  test('that the nearest policy does not allow waits with what that policy wants', async () => {
    const { client } = await runWith({ web: { ...SIGNER, allowed: { usages: ['client auth'] } } });
    assert.match(client.events[0] ?? '', new RegExp(`^${WAITS}ApprovalPolicy web does not allow this request: `));
  });

  test('that a policy with onMismatch: Deny does not allow waits, although another allows it', async () => {
    const guard: ApprovalPolicySpec = { ...SIGNER, onMismatch: 'Deny', allowed: null as never };
    const rules = [{ rule: 'request.name == "other"', message: 'only other' }];
    const { client } = await runWith({ ...ALLOWING, guard: { ...guard, rules } });
    assert.match(
      client.events[0] ?? '',
      /ApprovalPolicy guard does not allow this request: spec\.rules\[0\]: only other/,
    );
  });

  test('is retried while it is not known which policies there are', async () => {
    await assert.rejects(runWith(undefined), /the approval policies are not up to date/);
  });

  test('that cannot be signed fails for its own reason, whatever the policies say', async () => {
    const harness = new SignerHarness();
    harness.csr = buildCsr({ usages: ['bogus'] });
    const { outcomes } = await runWith({}, harness);
    assert.deepEqual(outcomes, [{ result: 'failed', reason: 'SigningError', issuerType: 'ca' }]);
  });
});

test('a CSR that waits for a policy is signed when one is changed so that it allows it', async t => {
  const { client, registry } = await start(t, {
    csrs: [buildCsr()],
    options: { createPolicyCache: options => new PolicyCache(options) },
    answer: ({ verb, path }) =>
      verb === 'get' && path.includes('approvalpolicies')
        ? { metadata: { resourceVersion: '100' }, items: [] }
        : undefined,
  });
  const waiting = 'countersign_requests_waiting{reason="ApprovalPolicyRequired",issuer_type="ca"} 1';
  await until(async () => (await registry.metrics()).includes(waiting));
  const policy = { metadata: { name: 'web', uid: 'u', generation: 1 }, spec: ALLOWING['web'] };
  const other = { ...policy, spec: { ...policy.spec, subjects: [{ kind: 'User', name: 'joe' }] } };
  client.push('approvalpolicies', 'ADDED', other, '101');
  client.push('approvalpolicies', 'MODIFIED', { ...policy, metadata: { ...policy.metadata, generation: 2 } }, '102');
  await until(() => client.calls.some(({ verb, path }) => verb === 'mergePatch' && path.startsWith(CSRS)));
});
