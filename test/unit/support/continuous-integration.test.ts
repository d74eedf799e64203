// What becomes of tests that this machine cannot run.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirementOf } from '../../support/continuous-integration.ts';

const MISSING = 'a node needs root';

for (const env of [{}, { CI: '' }, { CI: 'false' }]) {
  test(`with ${JSON.stringify(env)} a test whose requirement is missing is skipped, and says why`, () => {
    assert.deepEqual(requirementOf(MISSING, env), { skip: MISSING });
  });
}

test('in CI a missing requirement is an error', () => {
  assert.throws(() => requirementOf(MISSING, { CI: 'true' }), /a node needs root/);
});

test('in CI a test runs whose requirement is there', () => {
  assert.deepEqual(requirementOf({}, { CI: 'true' }), {});
});
