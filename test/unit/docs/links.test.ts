// Checks the links between documentation pages, and that readers can reach every page.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findAnchors, findLinks, type Page, ROOT, readPages } from '../../support/docs/pages.ts';

const pages = await readPages();
const byPath = new Map(pages.map(page => [page.path, page]));

for (const page of pages) {
  test(`every link in ${page.path} leads to a file and an anchor that exist`, () => {
    const broken = findLinks(page).filter(({ path, anchor }) => !isTarget(path, anchor));
    assert.deepEqual(
      broken.map(({ written }) => written),
      [],
    );
  });
}

function isTarget(path: string, anchor: string): boolean {
  if (anchor === '') return existsSync(join(ROOT, path));
  const page = byPath.get(path);
  return page !== undefined && findAnchors(page).has(anchor);
}

test('every page in docs can be reached from docs/README.md', () => {
  const start = byPath.get('docs/README.md');
  assert.ok(start);
  const reached = new Set<Page>([start]);
  for (const page of reached) {
    const targets = findLinks(page).map(({ path }) => byPath.get(path));
    for (const target of targets) if (target !== undefined) reached.add(target);
  }
  const missing = pages.filter(page => page.path.startsWith('docs/') && !reached.has(page));
  assert.deepEqual(
    missing.map(({ path }) => path),
    [],
  );
});
