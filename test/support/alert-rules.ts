// Evaluates the chart's alerts with Prometheus: each case is a set of series, a minute, and the alerts that fire then.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { findObject, type KubeObject, parseObjects, RELEASE, renderText, type Values } from '../chart/helm.ts';
import { runCommand } from './control-plane/run-command.ts';
import { findModuleTool, MODULE_TOOLS } from './docker/module-tool.ts';

/** One value per minute, in promtool's notation: `1x60` is 1 for an hour, `0+5x60` grows by 5 per minute. */
export type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly name: string;
  /** Overrides of the healthy series; '' removes one. */
  readonly series?: Series;
  readonly minute: number;
  readonly fires: readonly string[];
}

/** Declares a test for each case. Every alert of the chart with these values needs one, except those of `others`. */
export function describeAlerts(values: Values, healthy: Series, cases: readonly AlertCase[], others = /^$/): void {
  describe('the alerts', () => {
    let dir: string;
    let promtool: string;
    before(async () => {
      promtool = await findModuleTool(MODULE_TOOLS.promtool);
      dir = await mkdtemp(join(tmpdir(), 'alerts-'));
      const objects = parseObjects(await renderText({ ...values, alerts: { enabled: true } }));
      const { spec } = findObject(objects, 'PrometheusRule', RELEASE) as KubeObject & { spec: object };
      await writeFile(join(dir, 'rules.yaml'), stringify(spec));
    });
    after(() => rm(dir, { recursive: true, force: true }));

    async function run(...args: readonly string[]): Promise<void> {
      const { code, stdout, stderr } = await runCommand(promtool, args, { env: process.env, cwd: dir });
      assert.equal(code, 0, stdout + stderr);
    }

    test('the alerts are valid Prometheus rules', () =>
      run('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml'));

    test('every alert has a test case', async () => {
      const rules = await readFile(join(dir, 'rules.yaml'), 'utf8');
      const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, alert = '']) => alert);
      const own = alerts.filter(alert => !others.test(alert));
      assert.deepEqual(new Set(cases.flatMap(({ fires }) => fires)), new Set(own));
    });

    for (const { name, series, minute, fires } of cases) {
      test(`${fires.join(', ') || 'no alert'} fires ${name}`, async () => {
        await writeFile(join(dir, 'test.yaml'), stringify(ruleTest({ ...healthy, ...series }, minute, fires)));
        await run('test', 'rules', 'test.yaml');
      });
    }
  });
}

/** A test file of promtool. */
function ruleTest(series: Series, minute: number, fires: readonly string[]): object {
  const input = Object.entries(series).filter(([, values]) => values !== '');
  const firing = {
    expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: `${minute}m`,
    exp_samples: fires.map(alert => ({ labels: `{alertname="${alert}"}`, value: 1 })),
  };
  const input_series = input.map(([labels, values]) => ({ series: labels, values }));
  const tests = [{ interval: '1m', input_series, promql_expr_test: [firing] }];
  return { rule_files: ['rules.yaml'], evaluation_interval: '1m', tests };
}
