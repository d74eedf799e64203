import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { renderMetrics } from '../../../docs/generate-metrics.ts';

test('docs/metrics.md tells of the metrics as they are now (else run `make docs`)', async () => {
  const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  assert.equal(page, renderMetrics());
});
