// Values lost by `helm upgrade --reuse-values` with a chart that has new ones, or by a null: the chart renders without
// them, or reports which are missing and how to restore them.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CHART, runTemplate, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

/** Objects that Kubernetes defines: users may omit any of their fields. */
const OF_KUBERNETES = /(securityContext|Probe|resources|labels)$/i;

/** Every value of the chart and every group of values, by its path. */
function pathsOf(values: Values, above: readonly string[] = []): (readonly string[])[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = [...above, name];
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value) && !OF_KUBERNETES.test(name);
    return isGroup ? [path, ...pathsOf(value as Values, path)] : [path];
  });
}

/** Helm removes values that are null, and an upgrade with --reuse-values lacks values that are new in its chart. */
function without(values: Values, [name = '', ...rest]: readonly string[]): Values {
  const inner = (values[name] ?? {}) as Values;
  return { ...values, [name]: rest.length === 0 ? null : without(inner, rest) };
}

/** The failure, unless it is a message of the chart. */
async function failureWithout(path: readonly string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await runTemplate(without(VARIANTS['everything']!, path));
  if (code === 0) return /<nil>|<no value>|%!/.exec(stdout)?.[0];
  return /^Error: execution error at .*: (?!.*error calling)/.test(stderr) ? undefined : stderr;
}

const MISSING = /required values are missing: (.*)\. Nothing was changed\. If .* use --reset-then-reuse-values instead/;

test('the chart renders without any single value, or reports that it is missing', async () => {
  const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8'));
  const { stderr } = await runTemplate(Object.fromEntries(Object.keys(values).map(name => [name, null])));
  const needed = MISSING.exec(stderr)?.[1]?.split(', ') ?? [];
  assert.ok(needed.length > 30, stderr);
  const paths = pathsOf(values).filter(path => !needed.some(name => `${name}.`.startsWith(`${path.join('.')}.`)));
  assert.ok(paths.length > 50, `${paths.length} values`);
  const failures: string[] = [];
  const renderAll = async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const failure = await failureWithout(path);
      if (failure !== undefined) failures.push(`${path.join('.')}: ${failure}`);
    }
  };
  await Promise.all([renderAll(), renderAll(), renderAll()]);
  assert.deepEqual(failures, []);
});

test('the chart reports all missing values at once', async () => {
  const { stderr } = await runTemplate({
    commonLabels: null,
    monitor: null,
    webhook: { certificate: null, port: null },
  });
  const names = 'commonLabels, monitor.kind, monitor.labels, webhook.certificate.mode, webhook.port';
  assert.equal(MISSING.exec(stderr)?.[1], names);
});
