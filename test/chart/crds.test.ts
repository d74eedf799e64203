import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRenderer, findObject, type KubeObject, LEAST_VALUES } from './helm.ts';

const render = createRenderer();

interface Crd extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: Readonly<Record<string, unknown>>;
    readonly versions: readonly CrdVersion[];
  };
}

interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly subresources: unknown;
  readonly additionalPrinterColumns: readonly { readonly name: string; readonly priority?: number }[];
  readonly schema: { readonly openAPIV3Schema: Schema };
}

interface Schema {
  readonly type: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

const CRDS = [
  { plural: 'issuers', singular: 'issuer', kind: 'Issuer', shortNames: ['iss'], scope: 'Namespaced' },
  {
    plural: 'clusterissuers',
    singular: 'clusterissuer',
    kind: 'ClusterIssuer',
    shortNames: ['ciss'],
    scope: 'Cluster',
  },
];

for (const { scope, ...names } of CRDS) {
  const name = `${names.plural}.cert-manager.io`;
  const readVersion = async () => {
    const { spec } = findObject(await render(LEAST_VALUES), 'CustomResourceDefinition', name) as Crd;
    assert.equal(spec.versions.length, 1);
    return spec.versions[0]!;
  };

  test(`${name} has the same names as in cert-manager`, async () => {
    const { spec } = findObject(await render(LEAST_VALUES), 'CustomResourceDefinition', name) as Crd;
    assert.equal(spec.group, 'cert-manager.io');
    assert.equal(spec.scope, scope);
    assert.deepEqual(spec.names, { ...names, listKind: `${names.kind}List`, categories: ['cert-manager'] });
  });

  test(`${name} serves and stores v1, with a status subresource and three columns`, async () => {
    const { schema: _, additionalPrinterColumns, ...version } = await readVersion();
    assert.deepEqual(version, { name: 'v1', served: true, storage: true, subresources: { status: {} } });
    const columns = additionalPrinterColumns.map(column => [column.name, column.priority ?? 0]);
    assert.deepEqual(columns, [
      ['Ready', 0],
      ['Status', 1],
      ['Age', 0],
    ]);
  });

  test(`${name} preserves unknown fields`, async () => {
    const { schema } = await readVersion();
    for (const path of ['spec', 'spec.ca', 'spec.selfSigned', 'status', 'status.conditions']) {
      const part = propertyAt(schema.openAPIV3Schema, path);
      assert.equal((part.items ?? part)['x-kubernetes-preserve-unknown-fields'], true, path);
    }
  });

  test(`${name} defines the fields that Countersign reads`, async () => {
    const { schema } = await readVersion();
    const fieldsOf = (path: string) => Object.keys(propertyAt(schema.openAPIV3Schema, path).properties ?? {});
    assert.deepEqual(fieldsOf('spec'), ['ca', 'selfSigned']);
    assert.deepEqual(fieldsOf('spec.ca'), [
      'secretName',
      'crlDistributionPoints',
      'ocspServers',
      'issuingCertificateURLs',
    ]);
    assert.deepEqual(fieldsOf('spec.selfSigned'), ['crlDistributionPoints']);
    assert.deepEqual(propertyAt(schema.openAPIV3Schema, 'spec.ca').required, ['secretName']);
  });

  test(`${name} allows one condition of each type`, async () => {
    const conditions = propertyAt((await readVersion()).schema.openAPIV3Schema, 'status.conditions');
    assert.equal(conditions['x-kubernetes-list-type'], 'map');
    assert.deepEqual(conditions['x-kubernetes-list-map-keys'], ['type']);
  });
}

function propertyAt(schema: Schema, path: string): Schema {
  return path.split('.').reduce((part, name) => {
    const property = part.properties?.[name];
    assert.ok(property, `${path}: no property ${name}`);
    return property;
  }, schema);
}

async function readPolicies(crds: object): Promise<readonly (string | undefined)[]> {
  return (await readCrds(crds)).map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
}

async function readCrds(crds: object): Promise<readonly KubeObject[]> {
  const rendered = await render({ ...LEAST_VALUES, crds });
  return rendered.filter(({ kind }) => kind === 'CustomResourceDefinition');
}

test('the CRDs are kept after uninstall, unless crds.keep is false', async () => {
  assert.deepEqual(await readPolicies({}), ['keep', 'keep']);
  assert.deepEqual(await readPolicies({ keep: false }), [undefined, undefined]);
});

test('crds.enabled=false renders no CRDs', async () => {
  assert.deepEqual(await readCrds({ enabled: false }), []);
});
