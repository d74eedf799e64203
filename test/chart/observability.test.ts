// The alerts and the dashboard: Prometheus and Grafana can find them, and they use only metrics and labels that the
// services export. test/e2e/alerts.test.ts checks with Prometheus when the alerts fire.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROWS } from '../../docs/dashboard/rows.ts';
import { describeMetrics } from '../../tools/docs/generate-metrics.ts';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES } from './helm.ts';
import { VARIANTS } from './variants.ts';

interface PrometheusRule extends KubeObject {
  readonly spec: {
    readonly groups: readonly {
      readonly rules: readonly {
        readonly alert: string;
        readonly expr: string;
        readonly labels: { readonly severity: string };
        readonly annotations: { readonly summary: string; readonly description: string };
      }[];
    }[];
  };
}

const render = createRenderer();

const everything = await render(VARIANTS['everything']!);
const rule = findObject(everything, 'PrometheusRule', 'csrs') as PrometheusRule;
const alerts = rule.spec.groups.flatMap(({ rules }) => rules);
const panels = ROWS.flatMap(row => [...(row.stats ?? []), ...row.panels]);

test('the chart renders no alerts and no dashboard by default', async () => {
  const names = (await render(LEAST_VALUES)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assert.ok(!names.some(name => /^PrometheusRule |-dashboard$/.test(name)));
});

test('the PrometheusRule has the labels of alerts.labels', () => {
  assert.equal(rule.metadata.labels?.['release'], 'prometheus');
});

test('the alerts select only series of Countersign, in any namespace', () => {
  const own = ' and on (job, instance) countersign_clock_offset_seconds';
  for (const { alert, expr } of alerts) {
    const selected = [...expr.matchAll(/([a-z_]+)\{(.*?)\}(\[\w+\]\))?(.*)/g)];
    assert.ok(selected.length > 0, alert);
    for (const [, name = '', selector = '', , after = ''] of selected) {
      assert.match(selector, /\bjob=/, alert);
      assert.doesNotMatch(selector, /namespace/, alert);
      assert.ok(
        name.startsWith('countersign_') || after.startsWith(own),
        `${alert}: ${name} is not limited to Countersign`,
      );
    }
  }
});

test('every alert has a severity, a summary and a description', () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.match(annotations.summary, /\.$/, alert);
    assert.match(annotations.description, /\.$/, alert);
  }
});

test('the dashboard has the label and the folder annotation that Grafana expects', () => {
  const configMap = findObject(everything, 'ConfigMap', 'csrs-dashboard') as KubeObject & {
    data: Record<string, string>;
  };
  assert.equal(configMap.metadata.labels?.['grafana_dashboard'], '1');
  assert.equal(configMap.metadata.annotations?.['grafana_folder'], 'Certificates');
  assert.equal(JSON.parse(configMap.data['countersign.json'] ?? '').uid, 'countersign');
});

/** Labels that Prometheus adds, and that of histogram buckets. */
const ADDED_LABELS = ['job', 'namespace', 'instance', 'le'];
type Service = 'signer' | 'webhook' | 'approver';
const metricsOf = {
  signer: describeMetrics('signer'),
  webhook: describeMetrics('webhook'),
  approver: describeMetrics('approver'),
};

function assertExported(name: string, labels: readonly string[], service: Service): void {
  const found = metricsOf[service].find(metric => metric.name === name.replace(/_(bucket|count)$/, ''));
  assert.ok(found, `the ${service} does not export ${name}`);
  const known = new Set([...ADDED_LABELS, ...(found.labelNames ?? [])]);
  for (const label of labels) assert.ok(known.has(label), `${name} has no label ${label}`);
}

/** Checks all metrics of an expression, with the labels by which they are selected and grouped. */
function assertMetricsExist(expr: string): void {
  const groups = [...expr.matchAll(/\bby \((.*?)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
  const selections = [...expr.matchAll(/([a-z_]+)\{(.*?)\}/g)];
  assert.ok(selections.length > 0, expr);
  for (const [, name = '', selector = ''] of selections) {
    const labels = [...selector.matchAll(/([a-z_]+)(?==|!)/g)].map(([label]) => label);
    const [, jobs = ''] = /job=~?"(.*?)"/.exec(selector) ?? [];
    for (const job of jobs.split('|')) assertExported(name, [...labels, ...groups], job as Service);
  }
}

describe('queries', () => {
  for (const { alert, expr } of alerts)
    test(`the services export all metrics of the alert ${alert}`, () => assertMetricsExist(expr));
  for (const { title, queries } of panels) {
    test(`the services export all metrics of the panel "${title}"`, () =>
      queries.forEach(({ expr }) => assertMetricsExist(expr)));
  }
});

test('legends use only labels of their series', () => {
  for (const { expr, legend } of panels.flatMap(({ queries }) => queries)) {
    const [, by] = /\bby \((.*?)\)/.exec(expr) ?? [];
    for (const [, label = ''] of legend.matchAll(/\{\{(.*?)\}\}/g)) {
      assert.ok(by === undefined || by.split(', ').includes(label), `${legend} of ${expr}`);
    }
  }
});
