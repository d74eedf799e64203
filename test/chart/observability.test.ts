// The alerts and the dashboard: that the chart puts them where an operator and Grafana find them, and that they ask for metrics and
// labels that the services have. Whether an alert fires when it should is tried with Prometheus (test/e2e/alerts.test.ts).

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

test('by default there are neither alerts nor a dashboard', async () => {
  const names = (await render(LEAST_VALUES)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assert.ok(!names.some(name => /^PrometheusRule |-dashboard$/.test(name)));
});

test('the alerts are found by the labels that a Prometheus selects by', () => {
  assert.equal(rule.metadata.labels?.['release'], 'prometheus');
});

test('the alerts look at Countersign alone, in whichever namespace: other programs have metrics and jobs of such names', () => {
  const own = ' and on (job, instance) countersign_clock_offset_seconds';
  for (const { alert, expr } of alerts) {
    const selected = [...expr.matchAll(/([a-z_]+)\{(.*?)\}(\[\w+\]\))?(.*)/g)];
    assert.ok(selected.length > 0, alert);
    for (const [, name = '', selector = '', , after = ''] of selected) {
      assert.match(selector, /\bjob=/, alert);
      assert.doesNotMatch(selector, /namespace/, alert);
      assert.ok(name.startsWith('countersign_') || after.startsWith(own), `${alert}: ${name} of any program`);
    }
  }
});

test('each alert says how bad it is, what happened and what to do', () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.match(annotations.summary, /\.$/, alert);
    assert.match(annotations.description, /[.?]$/, alert);
  }
});

test('the dashboard is found by the label that Grafana looks for, in the folder that is asked for', () => {
  const configMap = findObject(everything, 'ConfigMap', 'csrs-dashboard') as KubeObject & {
    data: Record<string, string>;
  };
  assert.equal(configMap.metadata.labels?.['grafana_dashboard'], '1');
  assert.equal(configMap.metadata.annotations?.['grafana_folder'], 'Certificates');
  assert.equal(JSON.parse(configMap.data['countersign.json'] ?? '').uid, 'countersign');
});

/** Of Prometheus itself, and of the buckets of a histogram. */
const ADDED = ['job', 'namespace', 'instance', 'le'];
const served = {
  signer: describeMetrics('signer'),
  webhook: describeMetrics('webhook'),
};

function assertServed(name: string, labels: readonly string[], service: 'signer' | 'webhook'): void {
  const found = served[service].find(metric => metric.name === name.replace(/_bucket$/, ''));
  assert.ok(found, `the ${service} serves no ${name}`);
  const known = new Set([...ADDED, ...(found.labelNames ?? [])]);
  for (const label of labels) assert.ok(known.has(label), `${name} has no label ${label}`);
}

/** Every metric of the expression, with the labels that it is selected and grouped by. */
function assertAsksForWhatIsServed(expr: string): void {
  const groups = [...expr.matchAll(/\bby \((.*?)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
  const selections = [...expr.matchAll(/([a-z_]+)\{(.*?)\}/g)];
  assert.ok(selections.length > 0, expr);
  for (const [, name = '', selector = ''] of selections) {
    const labels = [...selector.matchAll(/([a-z_]+)(?==|!)/g)].map(([label]) => label);
    const [, jobs = ''] = /job=~?"(.*?)"/.exec(selector) ?? [];
    for (const job of jobs.split('|')) assertServed(name, [...labels, ...groups], job as 'signer' | 'webhook');
  }
}

describe('what is asked for is served:', () => {
  for (const { alert, expr } of alerts) test(`by the alert ${alert}`, () => assertAsksForWhatIsServed(expr));
  for (const { title, queries } of panels) {
    test(`by the panel "${title}"`, () => queries.forEach(({ expr }) => assertAsksForWhatIsServed(expr)));
  }
});

test('a legend names only labels that its series have', () => {
  for (const { expr, legend } of panels.flatMap(({ queries }) => queries)) {
    const [, by] = /\bby \((.*?)\)/.exec(expr) ?? [];
    for (const [, label = ''] of legend.matchAll(/\{\{(.*?)\}\}/g)) {
      assert.ok(by === undefined || by.split(', ').includes(label), `${legend} of ${expr}`);
    }
  }
});
