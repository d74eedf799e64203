import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { renderDashboard } from '../../../tools/docs/generate-dashboard.ts';
import { renderMetrics } from '../../../tools/docs/generate-metrics.ts';

for (const [path, render] of [
  ['docs/metrics.md', renderMetrics],
  ['charts/countersign/files/dashboard.json', renderDashboard],
] as const) {
  test(`${path} is what its source makes now (else run \`make docs\`)`, async () => {
    assert.equal(await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8'), render());
  });
}
