// How tests behave when a requirement is missing on this machine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirementOf } from '../../support/continuous-integration.ts';

const MISSING = 'a node needs root';

for (const env of [{}, { CI: '' }, { CI: 'false' }]) {
  test(`with env ${JSON.stringify(env)} a test with a missing requirement is skipped with the reason`, () => {
    assert.deepEqual(requirementOf(MISSING, env), { skip: MISSING });
  });
}

test('in CI a missing requirement is an error', () => {
  assert.throws(() => requirementOf(MISSING, { CI: 'true' }), /a node needs root/);
});

test('in CI a test runs if its requirement is met', () => {
  assert.deepEqual(requirementOf({}, { CI: 'true' }), {});
});
