// Which licences are allowed in the lock file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findForbiddenLicenses } from '../../../build/check-licenses.ts';

const find = (license: unknown) =>
  findForbiddenLicenses({ packages: { 'node_modules/a/node_modules/@b/c': { version: '1.2.3', license } } });

for (const license of [
  'MIT',
  'MIT OR GPL-3.0-only',
  '(GPL-3.0-only OR MIT)',
  'GPL-3.0-only OR MIT AND ISC',
  'MIT AND ISC',
]) {
  test(`a package with the licence ${license} is allowed`, () => {
    assert.deepEqual(find(license), []);
  });
}

for (const license of [
  'GPL-3.0-only',
  'mit',
  'MIT AND GPL-3.0-only',
  'MIT AND GPL-3.0-only OR GPL-3.0-only AND ISC',
  '(GPL-3.0-only OR MIT) AND (GPL-3.0-only)',
  'GPL-3.0-only AND (GPL-2.0-only OR MIT OR ISC)',
  'MIT WITH Classpath-exception-2.0',
  'UNLICENSED',
  'SEE LICENSE IN LICENSE.txt',
  '',
  { type: 'MIT' },
  null,
]) {
  test(`a package with the licence ${JSON.stringify(license)} is reported with name, version and licence`, () => {
    assert.deepEqual(find(license), [`@b/c@1.2.3: ${JSON.stringify(license)}`]);
  });
}

test('a package without a licence is reported', () => {
  assert.deepEqual(find(undefined), ['@b/c@1.2.3: no licence']);
});

test('the workspaces of this repository and the links to them need no licence', () => {
  const packages = { '': {}, 'services/a': { version: '0.1.0' }, 'node_modules/@countersign/a': { link: true } };
  assert.deepEqual(findForbiddenLicenses({ packages }), []);
});
