// External issuers: their signer names, only for listed types, and the permission to use them, in their own group.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  denialText,
  grantCommands,
  grantingRole,
  needsPermission,
  referenceReviews,
} from '@countersign/common/reference-permission.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import {
  type ExternalRef,
  formatSignerName,
  type IssuerResource,
  parseSignerName,
  tenantOf,
} from '@countersign/common/signer-name.ts';
import * as fc from 'fast-check';
import { parse } from 'yaml';

const THING: IssuerResource = {
  group: 'things.example.com',
  plural: 'thingissuers',
  kind: 'ThingIssuer',
  isNamespaced: true,
};
// A kind may have the name of one of cert-manager's.
const CLUSTER: IssuerResource = { ...THING, plural: 'clusterissuers', kind: 'ClusterIssuer', isNamespaced: false };
const LISTED = [THING, CLUSTER];

const thing: ExternalRef = { kind: 'ThingIssuer', namespace: 'sandbox', name: 'ca.v1', external: THING };
const cluster: ExternalRef = { kind: 'ClusterIssuer', namespace: '', name: 'ca', external: CLUSTER };

describe('signer names of external issuers', () => {
  const readable: Readonly<Record<string, ExternalRef>> = {
    'thingissuers.things.example.com/sandbox.ca.v1': thing,
    'clusterissuers.things.example.com/ca': cluster,
  };
  for (const [text, ref] of Object.entries(readable)) {
    it(`${text} is read where its type is listed`, () =>
      assert.deepEqual(parseSignerName(text, LISTED), { ok: true, value: ref }));
    it(`${text} is another signer's name where its type is not listed`, () =>
      assert.deepEqual(parseSignerName(text, []), { ok: false, error: { kind: 'foreign' } }));
    it(`${text} is what formatSignerName returns`, () => assert.equal(formatSignerName(ref), text));
  }

  const malformed: Readonly<Record<string, RegExp>> = {
    'thingissuers.things.example.com/ca':
      /^missing namespace; use "thingissuers\.things\.example\.com\/<namespace>\.<name>"$/,
    'thingissuers.things.example.com/': /missing namespace/,
    'thingissuers.things.example.com/Sandbox.ca': /"Sandbox" is not a valid namespace name/,
    'thingissuers.things.example.com/sandbox.': /"" is not a valid ThingIssuer name/,
    'clusterissuers.things.example.com/a/b': /"a\/b" is not a valid ClusterIssuer name/,
  };
  for (const [text, detail] of Object.entries(malformed)) {
    it(`${text} is malformed`, () => {
      const parsed = parseSignerName(text, LISTED);
      assert.ok(!parsed.ok && parsed.error.kind === 'malformed');
      assert.match(parsed.error.detail, detail);
    });
  }

  for (const text of [
    'things.example.com/ca',
    'thingissuers.things.example.com',
    'x.thingissuers.things.example.com/sandbox.ca',
    'Thingissuers.things.example.com/sandbox.ca',
    'otherissuers.things.example.com/sandbox.ca',
    'kubernetes.io/kube-apiserver-client',
  ]) {
    it(`${text} stays another signer's name`, () =>
      assert.deepEqual(parseSignerName(text, LISTED), { ok: false, error: { kind: 'foreign' } }));
  }

  it('the names of cert-manager issuers mean the same with and without a list', () =>
    fc.assert(
      fc.property(fc.constantFrom('issuers', 'clusterissuers', 'foos'), fc.string(), (resource, path) => {
        const text = `${resource}.cert-manager.io/${path}`;
        assert.deepEqual(parseSignerName(text, LISTED), parseSignerName(text));
      }),
    ));

  it('an external issuer shares the cost with its namespace, or with nobody else', () => {
    assert.equal(tenantOf(formatSignerName(thing), LISTED), 'namespace/sandbox');
    assert.equal(tenantOf(formatSignerName(cluster), LISTED), 'clusterissuers.things.example.com/ca');
    assert.equal(tenantOf(formatSignerName(thing), []), '');
  });
});

describe('the permission to reference an external issuer', () => {
  it('is asked in the group of the issuer, so that a Role for the Issuer of the same name is not enough', () => {
    const asked = [thing, cluster].map(ref => referenceReviews(ref, {})[0]?.spec.resourceAttributes);
    assert.deepEqual(asked, [
      {
        group: 'things.example.com',
        resource: 'signers',
        verb: 'reference',
        namespace: 'sandbox',
        name: 'ca.v1',
        version: '*',
      },
      {
        group: 'things.example.com',
        resource: 'clusterissuers',
        verb: 'reference',
        namespace: '',
        name: 'ca',
        version: '*',
      },
    ]);
  });

  it('is needed for a cluster-scoped issuer only with authorizeClusterIssuers, whatever its kind is called', () => {
    const needed = (ref: ExternalRef, authorizeClusterIssuers: boolean) =>
      needsPermission(ref, { ...PERMISSIVE_POLICY, authorizeClusterIssuers });
    assert.deepEqual([needed(thing, false), needed(cluster, false), needed(cluster, true)], [true, false, true]);
  });

  it('has a Role of its own name, which cannot overwrite that of an Issuer', () => {
    const role = parse(grantingRole(thing)) as { kind: string; metadata: object; rules: object };
    assert.equal(role.kind, 'Role');
    assert.deepEqual(role.metadata, {
      name: 'thingissuers.things.example.com-referencer:ca.v1',
      namespace: 'sandbox',
    });
    assert.deepEqual(role.rules, [
      { apiGroups: ['things.example.com'], resources: ['signers'], verbs: ['reference'], resourceNames: ['ca.v1'] },
    ]);
  });

  it('is named in the denial and in the commands that grant it', () => {
    const text = denialText(thing, 'jane');
    assert.match(text, /^Requester may not reference ThingIssuer sandbox\/ca\.v1: user "jane" cannot reference/);
    assert.match(
      text,
      /resource "signers" in API group "things\.example\.com" with the name "ca\.v1" in the namespace/,
    );
    assert.match(grantCommands(cluster, 'jane'), /--clusterrole=clusterissuers\.things\.example\.com-referencer:ca /);
  });
});
