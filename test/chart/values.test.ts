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

const cidrs = (cidr: unknown) => ({ networkPolicy: { apiServer: { cidrs: [cidr] } } });
const unnamedCondition = { webhook: { matchConditions: [{ expression: 'true' }] } };

/** The schema rejects each of them at this path. */
const REJECTED: readonly { readonly name: string; readonly at: string; readonly values: Values }[] = [
  { name: 'an unknown value', at: 'replicaCount', values: { replicaCount: 1 } },
  { name: 'an unknown value of a service', at: '/signer', values: { signer: { replica: 1 } } },
  {
    name: 'an unknown nested value',
    at: '/webhook/certificate',
    values: { webhook: { certificate: { secret: 'x' } } },
  },
  { name: 'a string instead of a number', at: '/signer/replicas', values: { signer: { replicas: '2' } } },
  { name: 'zero workers', at: '/signer/workers', values: { signer: { workers: 0 } } },
  { name: 'an unknown log level', at: '/logLevel', values: { logLevel: 'verbose' } },
  { name: 'an unknown issuerStatus', at: '/signer/issuerStatus', values: { signer: { issuerStatus: 'yes' } } },
  { name: 'an invalid namespace name', at: '/clusterResourceNamespace', values: { clusterResourceNamespace: 'A b' } },
  { name: 'a name that is too long', at: '/fullnameOverride', values: { fullnameOverride: 'n'.repeat(49) } },
  { name: 'a label that is not a string', at: '/commonLabels/a', values: { commonLabels: { a: true } } },
  { name: 'an unknown mode', at: '/webhook/certificate/mode', values: { webhook: { certificate: { mode: 'auto' } } } },
  { name: 'an unknown failurePolicy', at: '/webhook/failurePolicy', values: { webhook: { failurePolicy: 'Open' } } },
  { name: 'a timeout that is too long', at: '/webhook/timeoutSeconds', values: { webhook: { timeoutSeconds: 31 } } },
  { name: 'a condition without a name', at: '/webhook/matchConditions/0', values: unnamedCondition },
  { name: 'a namespaceSelector', at: '/webhook', values: { webhook: { namespaceSelector: {} } } },
  { name: 'a probe with a handler', at: '/signer/livenessProbe', values: { signer: { livenessProbe: { exec: {} } } } },
  { name: 'an unknown kind of monitor', at: '/monitor/kind', values: { monitor: { kind: 'Probe' } } },
  { name: 'a number as a CIDR', at: '/networkPolicy/apiServer/cidrs/0', values: cidrs(10) },
  {
    name: 'an argument that is not a flag',
    at: '/signer/extraArgs/0',
    values: { signer: { extraArgs: ['workers=3'] } },
  },
  { name: 'an invalid digest', at: '/webhook/image/digest', values: { webhook: { image: { digest: 'latest' } } } },
  {
    name: 'a referencer without subjects',
    at: '/referencers/0/subjects',
    values: { referencers: [{ ...referencer, subjects: [] }] },
  },
  {
    name: 'a cluster referencer with a namespace',
    at: '/clusterReferencers/0',
    values: { clusterReferencers: [referencer] },
  },
  {
    name: 'a trust domain in upper case',
    at: '/podCertificates/trustDomain',
    values: { podCertificates: { trustDomain: 'Example.com' } },
  },
  {
    name: 'a cluster domain that is no DNS name',
    at: '/podCertificates/clusterDomain',
    values: { podCertificates: { clusterDomain: '' } },
  },
  {
    name: 'policies for pods that are installed sometimes',
    at: '/podCertificates/admissionPolicies/install',
    values: { podCertificates: { admissionPolicies: { install: 'yes' } } },
  },
  {
    name: 'a referencer without an issuer',
    at: '/referencers/0',
    values: { referencers: [{ ...referencer, issuer: undefined }] },
  },
];

for (const { name, at, values } of REJECTED) {
  test(`the schema rejects ${name}`, async () => {
    const { code, stderr } = await runTemplate(values);
    assert.notEqual(code, 0);
    assert.match(stderr, /don't meet the specifications of the schema/);
    assert.ok(stderr.includes(at), stderr);
  });
}

test('the schema accepts the values global and enabled, which a parent chart may set', async () => {
  const { code, stderr } = await runTemplate({ global: { a: 1 }, enabled: true });
  assert.equal(code, 0, stderr);
});

test('the schema and values.yaml contain the same values', async () => {
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

/** Kubernetes defines the resources of a container, so they are not listed as values. */
function resolve(schema: Schema, root: Schema): Schema {
  if (schema.properties?.['requests'] !== undefined) return {};
  return schema.$ref === undefined ? schema : (root.definitions?.[schema.$ref.replace('#/definitions/', '')] ?? {});
}

function isMapping(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test("the table in the chart's README is up to date with values.yaml (run `make docs`)", async () => {
  const readme = await readFile(join(CHART, 'README.md'), 'utf8');
  assert.ok(readme.includes(valuesTable(await readFile(join(CHART, 'values.yaml'), 'utf8'))));
});
