// Values that got lost, by `helm upgrade --reuse-values` with a chart that has new ones or by a null: the chart does without them, or
// says which are missing and how they come back.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CHART, runTemplate, type Values } from './helm.ts';
import { VARIANTS } from './variants.ts';

/** What Kubernetes defines: to leave out one of its fields is up to the user. */
const OF_KUBERNETES = /(securityContext|Probe|resources|labels)$/i;

/** Every value of the chart and every group of values, by its path. */
function pathsOf(values: Values, above: readonly string[] = []): (readonly string[])[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = [...above, name];
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value) && !OF_KUBERNETES.test(name);
    return isGroup ? [path, ...pathsOf(value as Values, path)] : [path];
  });
}

/** Helm takes away what is null. An upgrade with --reuse-values finds no more of a value that is new in its chart. */
function without(values: Values, [name = '', ...rest]: readonly string[]): Values {
  const inner = (values[name] ?? {}) as Values;
  return { ...values, [name]: rest.length === 0 ? null : without(inner, rest) };
}

/** What goes wrong other than by a message of the chart. */
async function complaintWithout(path: readonly string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await runTemplate(without(VARIANTS['everything']!, path));
  if (code === 0) return /<nil>|<no value>|%!/.exec(stdout)?.[0];
  return /^Error: execution error at .*: (?!.*error calling)/.test(stderr) ? undefined : stderr;
}

const MISSING = /nothing was changed: these values are missing: (.*)\. If .* use --reset-then-reuse-values instead/;

test('whichever value is missing, the chart does without it or says how it got lost', async () => {
  const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8'));
  const { stderr } = await runTemplate(Object.fromEntries(Object.keys(values).map(name => [name, null])));
  const needed = MISSING.exec(stderr)?.[1]?.split(', ') ?? [];
  assert.ok(needed.length > 30, stderr);
  const paths = pathsOf(values).filter(path => !needed.some(name => `${name}.`.startsWith(`${path.join('.')}.`)));
  assert.ok(paths.length > 50, `${paths.length} values`);
  const complaints: string[] = [];
  const renderAll = async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const complaint = await complaintWithout(path);
      if (complaint !== undefined) complaints.push(`${path.join('.')}: ${complaint}`);
    }
  };
  await Promise.all([renderAll(), renderAll(), renderAll()]);
  assert.deepEqual(complaints, []);
});

test('values that are missing are named all at once', async () => {
  const { stderr } = await runTemplate({
    commonLabels: null,
    monitor: null,
    webhook: { certificate: null, port: null },
  });
  const names = 'commonLabels, monitor.kind, monitor.labels, webhook.certificate.mode, webhook.port';
  assert.equal(MISSING.exec(stderr)?.[1], names);
});
