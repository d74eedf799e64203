// Checks that files and folders that the documentation names exist, and that its links between pages lead somewhere.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', 'charts/*/README.md'], { cwd: ROOT });

/** Paths from the root of the repository, in backquotes. Names in capitals stand for any name. */
const PATH = /`((?:build|charts|compose|docs|services|test|tools)\/[a-z0-9_./-]+)`/g;
const LINK = /\]\((?!https?:)([^)#\s]+)/g;

for (const page of PAGES) {
  test(`${page} names only files and pages that exist`, () => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const paths = Array.from(text.matchAll(PATH), ([, path = '']) => join(ROOT, path));
    const links = Array.from(text.matchAll(LINK), ([, path = '']) => join(ROOT, dirname(page), path));
    assert.deepEqual(
      [...paths, ...links].filter(path => !existsSync(path)),
      [],
    );
  });
}
