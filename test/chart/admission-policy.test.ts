// The admission policy and the webhook have the same rules, conditions and names.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMMUTABLE_ANNOTATIONS } from '@countersign/common/annotations.ts';
import { referenceReviews } from '@countersign/common/reference-permission.ts';
import { createRenderer, findObject, type KubeObject } from './helm.ts';
import { VARIANTS } from './variants.ts';

const render = createRenderer();

interface Policy extends KubeObject {
  readonly spec: {
    readonly failurePolicy: string;
    readonly matchConstraints: { readonly resourceRules: unknown };
    readonly matchConditions: unknown;
    readonly variables: readonly { readonly name: string; readonly expression: string }[];
    readonly validations: readonly {
      readonly expression: string;
      readonly reason: string;
      readonly message: string;
      readonly messageExpression: string;
    }[];
  };
}

async function readPolicy(): Promise<Policy['spec']> {
  const objects = await render(VARIANTS['admission policy']!);
  return (findObject(objects, 'ValidatingAdmissionPolicy', 'countersign-requests') as Policy).spec;
}

test('the admission policy matches the same requests as the webhook', async () => {
  const objects = await render(VARIANTS['admission policy']!);
  const { webhooks } = findObject(objects, 'ValidatingWebhookConfiguration', 'countersign-webhook') as KubeObject & {
    webhooks: readonly { rules: unknown; matchConditions: unknown }[];
  };
  const { matchConstraints, matchConditions } = await readPolicy();
  assert.deepEqual(matchConstraints.resourceRules, webhooks[0]?.rules);
  assert.deepEqual(matchConditions, webhooks[0]?.matchConditions);
});

test('the admission policy denies requests and fails closed', async () => {
  const objects = await render(VARIANTS['admission policy']!);
  const { spec } = findObject(objects, 'ValidatingAdmissionPolicyBinding', 'countersign-requests') as KubeObject & {
    spec: unknown;
  };
  assert.deepEqual(spec, { policyName: 'countersign-requests', validationActions: ['Deny'] });
  assert.equal((await readPolicy()).failurePolicy, 'Fail');
});

test('the admission policy checks the same permission as the webhook', async () => {
  const ref = { kind: 'Issuer', namespace: 'NAMESPACE', name: 'NAME' } as const;
  const { resource, verb } = referenceReviews(ref, {})[0]!.spec.resourceAttributes;
  const check = `authorizer.group(variables.group).resource('${resource}').namespace(variables.issuerNamespace).name(name).check('${verb}').allowed()`;
  const { validations } = await readPolicy();
  assert.ok(validations.find(({ reason }) => reason === 'Forbidden')?.expression.includes(check));
});

test('the admission policy locks the same annotations as the webhook', async () => {
  const { variables } = await readPolicy();
  const { expression = '' } = variables.find(({ name }) => name === 'changedAnnotations') ?? {};
  const named = expression.match(/'[a-z.-]+\/[a-z-]+'/g)?.map(text => text.slice(1, -1));
  assert.deepEqual(named, IMMUTABLE_ANNOTATIONS);
});
