// Checks that all files state the same version and licence, and how set-version.ts writes a release into the changelog.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../../build/bundle.ts';
import { readVersion } from '../../../build/image-contents.ts';
import { readStatedVersions, releaseChangelog } from '../../../build/set-version.ts';

const HEAD = '# Changelog\n\n## [Unreleased]\n';
const OLD = '\n## [0.1.0] - 2026-01-01\n\n### Added\n\n- A.\n';
const ENTRIES = '\n### Fixed\n\n- B.\n';

test('every file that states the version states that of package.json (change it with build/set-version.ts)', async () => {
  const version = await readVersion();
  const stated = await readStatedVersions(ROOT);
  assert.deepEqual(
    stated.filter(each => each.version !== version),
    [],
  );
  const files = new Set(stated.map(({ file }) => file));
  for (const file of [
    'package.json',
    'services/signer/package.json',
    'charts/countersign/Chart.yaml',
    'docker-compose.yml',
  ])
    assert.ok(files.has(file), file);
});

test('package-lock.json has the version of package.json', async () => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  assert.equal(packages[''].version, await readVersion());
});

test('every package, the chart and the notice in LICENSE state the same licence', async () => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  const ours = Object.entries<{ license?: string }>(packages).filter(([path]) => !path.includes('node_modules'));
  assert.deepEqual([...new Set(ours.map(([, { license }]) => license))], ['Apache-2.0']);
  assert.match(
    await readFile(join(ROOT, 'charts/countersign/Chart.yaml'), 'utf8'),
    /artifacthub\.io\/license: Apache-2\.0/,
  );
  assert.match(await readFile(join(ROOT, 'LICENSE'), 'utf8'), /^SPDX-License-Identifier: Apache-2\.0$/m);
});

test('CHANGELOG.md begins with the unreleased changes, then has the version of package.json', async () => {
  const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const [unreleased, newest] = Array.from(
    changelog.matchAll(/^## \[(.+?)\](?: - \d{4}-\d{2}-\d{2})?$/gm),
    each => each[1],
  );
  assert.deepEqual([unreleased, newest], ['Unreleased', await readVersion()]);
});

test('a release moves the unreleased entries to a section of its version, above the older ones', () => {
  assert.equal(
    releaseChangelog(`${HEAD}${ENTRIES}${OLD}`, '0.2.0', '2026-02-03'),
    `${HEAD}\n## [0.2.0] - 2026-02-03\n${ENTRIES}${OLD}`,
  );
});

for (const [what, changelog, error] of [
  ['whose version has a section', `${HEAD}${ENTRIES}${OLD}`, 'CHANGELOG.md already has a section [0.1.0]'],
  [
    'without unreleased entries',
    `${HEAD}${OLD.replace('0.1.0', '0.0.1')}`,
    'CHANGELOG.md has no entries under [Unreleased]',
  ],
  ['without a section for them', '# Changelog\n', 'CHANGELOG.md has no section [Unreleased]'],
] as const) {
  test(`a release ${what} is refused`, () => {
    assert.deepEqual(releaseChangelog(changelog, '0.1.0', '2026-02-03'), { error });
  });
}
