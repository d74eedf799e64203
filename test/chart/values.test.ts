import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CHART, runTemplate, type Values } from './helm.ts';
import { valuesTable } from './values-table.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const subject = { kind: 'User', name: 'jane' };
const referencer = { namespace: 'sandbox', issuer: 'my-issuer', subjects: [subject] };

const unnamedCondition = { webhook: { matchConditions: [{ expression: 'true' }] } };

/** Each is refused by the schema at the path that is named. */
const REFUSED: readonly { readonly name: string; readonly at: string; readonly values: Values }[] = [
  { name: 'an unknown value', at: 'replicaCount', values: { replicaCount: 1 } },
  { name: 'a typo in a service', at: '/signer', values: { signer: { replica: 1 } } },
  { name: 'a typo deep down', at: '/webhook/certificate', values: { webhook: { certificate: { secret: 'x' } } } },
  { name: 'a text for a number', at: '/signer/replicas', values: { signer: { replicas: '2' } } },
  { name: 'no workers', at: '/signer/workers', values: { signer: { workers: 0 } } },
  { name: 'an unknown log level', at: '/logLevel', values: { logLevel: 'verbose' } },
  { name: 'an unknown issuerStatus', at: '/signer/issuerStatus', values: { signer: { issuerStatus: 'yes' } } },
  { name: 'a namespace that cannot be', at: '/clusterResourceNamespace', values: { clusterResourceNamespace: 'A b' } },
  { name: 'a name that is too long', at: '/fullnameOverride', values: { fullnameOverride: 'n'.repeat(49) } },
  { name: 'a label that is no text', at: '/commonLabels/a', values: { commonLabels: { a: true } } },
  { name: 'an unknown mode', at: '/webhook/certificate/mode', values: { webhook: { certificate: { mode: 'auto' } } } },
  { name: 'an unknown failurePolicy', at: '/webhook/failurePolicy', values: { webhook: { failurePolicy: 'Open' } } },
  { name: 'a timeout too long', at: '/webhook/timeoutSeconds', values: { webhook: { timeoutSeconds: 31 } } },
  { name: 'a condition without a name', at: '/webhook/matchConditions/0', values: unnamedCondition },
  { name: 'a namespaceSelector', at: '/webhook', values: { webhook: { namespaceSelector: {} } } },
  { name: 'a probe with a handler', at: '/signer/livenessProbe', values: { signer: { livenessProbe: { exec: {} } } } },
  { name: 'a kind of monitor that is none', at: '/monitor/kind', values: { monitor: { kind: 'Probe' } } },
  ...['10.0.0.1', '10.0.0.1/33', 'fd00::1/129', '10.0.0/8', 'fd00/8'].map(cidr => ({
    name: `a CIDR that is none: ${cidr}`,
    at: '/networkPolicy/apiServer/cidrs/0',
    values: { networkPolicy: { apiServer: { cidrs: [cidr] } } },
  })),
  { name: 'an argument that is no flag', at: '/signer/extraArgs/0', values: { signer: { extraArgs: ['workers=3'] } } },
  { name: 'a digest that is none', at: '/webhook/image/digest', values: { webhook: { image: { digest: 'latest' } } } },
  {
    name: 'a referencer of nobody',
    at: '/referencers/0/subjects',
    values: { referencers: [{ ...referencer, subjects: [] }] },
  },
  {
    name: 'a referencer without an issuer',
    at: '/referencers/0',
    values: { referencers: [{ ...referencer, issuer: undefined }] },
  },
];

for (const { name, at, values } of REFUSED) {
  test(`the schema refuses ${name}`, async () => {
    const { code, stderr } = await runTemplate(values);
    assert.notEqual(code, 0);
    assert.match(stderr, /don't meet the specifications of the schema/);
    assert.ok(stderr.includes(at), stderr);
  });
}

test('the chart may be a subchart: global and a condition are let through', async () => {
  const { code, stderr } = await runTemplate({ global: { a: 1 }, enabled: true });
  assert.equal(code, 0, stderr);
});

test('the schema knows every value, and no other', async () => {
  const schema: Schema = JSON.parse(await readFile(join(CHART, 'values.schema.json'), 'utf8'));
  const { global: _, enabled: __, ...properties } = schema.properties ?? {};
  assertSameNames(parse(await readFile(join(CHART, 'values.yaml'), 'utf8')), { ...schema, properties }, schema);
});

function assertSameNames(values: Values, given: Schema, root: Schema): void {
  const schema = resolve(given, root);
  if (schema.properties === undefined || Object.keys(values).length === 0) return;
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(Object.keys(values).toSorted(), Object.keys(schema.properties).toSorted());
  for (const [name, value] of Object.entries(values)) {
    if (isMapping(value)) assertSameNames(value, schema.properties[name] ?? {}, root);
  }
}

/** What a container may ask for is Kubernetes' to define, and no list of this chart's values. */
function resolve(schema: Schema, root: Schema): Schema {
  if (schema.properties?.['requests'] !== undefined) return {};
  return schema.$ref === undefined ? schema : (root.definitions?.[schema.$ref.replace('#/definitions/', '')] ?? {});
}

function isMapping(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test("the table in the chart's README is made from values.yaml (else run `make docs`)", async () => {
  const readme = await readFile(join(CHART, 'README.md'), 'utf8');
  assert.ok(readme.includes(valuesTable(await readFile(join(CHART, 'values.yaml'), 'utf8'))));
});
