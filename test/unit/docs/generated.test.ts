import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { renderArchitecture } from '../../../tools/docs/generate-architecture.ts';
import { renderBenchmark } from '../../../tools/docs/generate-benchmark.ts';
import { renderCli } from '../../../tools/docs/generate-cli.ts';
import { renderDashboard } from '../../../tools/docs/generate-dashboard.ts';
import { renderFlags } from '../../../tools/docs/generate-flags.ts';
import { renderMetrics } from '../../../tools/docs/generate-metrics.ts';

for (const [path, render] of [
  ['docs/architecture.svg', renderArchitecture],
  ['docs/benchmark.md', renderBenchmark],
  ['docs/cli.md', renderCli],
  ['docs/flags.md', renderFlags],
  ['docs/metrics.md', renderMetrics],
  ['charts/countersign/files/dashboard.json', renderDashboard],
] as const) {
  test(`${path} is up to date with its source (if not, run \`make docs\`)`, async () => {
    assert.equal(await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8'), await render());
  });
}
