import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PROMISES } from '../../faults/promises.ts';
import { readTable } from '../../support/faults/reliability-page.ts';

test('docs/reliability.md has a figure for each promise (if not, run `make test-faults ARGS=--write`)', async () => {
  const table = readTable(await readFile(new URL('../../../docs/reliability.md', import.meta.url), 'utf8'));
  const missing = Object.values(PROMISES).filter(promise => !table.get(promise));
  assert.deepEqual(missing, []);
});
