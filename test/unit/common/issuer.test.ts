// Issuers: their type, readiness and location, from plain objects.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  foreignType,
  isEquivalentForRequests,
  isReady,
  issuerPath,
  issuerType,
  readyCondition,
  secretNamespace,
  toIssuer,
} from '@countersign/common/issuers/issuer.ts';

const metadata = { name: 'x' };
const issuer = { kind: 'Issuer', namespace: 'sandbox', name: 'my.issuer' } as const;
const clusterIssuer = { kind: 'ClusterIssuer', namespace: '', name: 'my.issuer' } as const;

const withConditions = (...conditions: readonly (readonly [type: string, status: string])[]) => ({
  metadata,
  spec: {},
  status: { conditions: conditions.map(([type, status]) => ({ type, status, observedGeneration: 1 })) },
});

describe('issuerType', () => {
  for (const type of ['acme', 'ca', 'vault', 'selfSigned', 'venafi'] as const) {
    it(`issuerType recognizes ${type}`, () => assert.equal(issuerType({ metadata, spec: { [type]: {} } }), type));
  }

  it('issuerType is undefined if the spec has no type', () => {
    assert.equal(issuerType({ metadata, spec: {} }), undefined);
  });

  it('issuerType is the first one that cert-manager checks if the spec has two', () => {
    assert.equal(issuerType({ metadata, spec: { selfSigned: {}, ca: { secretName: 'x' } } }), 'ca');
  });
});

describe('toIssuer', () => {
  const ca = {
    secretName: 's',
    crlDistributionPoints: ['http://x'],
    ocspServers: ['http://y'],
    issuingCertificateURLs: [],
  };
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  const kept = {
    metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '7', generation: 2 },
    spec: { ca },
    status,
  };

  it('toIssuer keeps the fields that are used', () => {
    const full = { ...kept.metadata, annotations: { a: 'b' }, labels: { c: 'd' }, managedFields: [{}] };
    const raw = {
      kind: 'Issuer',
      metadata: full,
      spec: { ca: { ...ca, junk: 'x' }, junk: 'x' },
      status: { ...status, acme: {} },
    };
    assert.deepEqual(toIssuer(raw), kept);
  });

  for (const [what, spec, expected] of [
    ['only the type for types that other controllers sign', { acme: { server: 'x' }, venafi: null }, { acme: {} }],
    [
      'the URLs of a SelfSigned issuer',
      { selfSigned: { crlDistributionPoints: ['a'], x: 1 } },
      { selfSigned: { crlDistributionPoints: ['a'] } },
    ],
    ['nothing of a missing spec', undefined, {}],
  ] as const) {
    it(`toIssuer keeps ${what}`, () =>
      assert.deepEqual(toIssuer({ metadata, spec }), { metadata, spec: expected, status: { conditions: [] } }));
  }

  it('toIssuer rejects a spec that is too large', () => {
    const spec = { selfSigned: { crlDistributionPoints: ['x'.repeat(66_000)] } };
    assert.throws(
      () => toIssuer({ metadata, spec }),
      /^Error: the spec of x is 660\d\d characters long; the maximum is 65536$/,
    );
  });
});

describe('isEquivalentForRequests', () => {
  const made = (parts: { uid?: string; generation?: number; ready?: string; annotation?: string } = {}) =>
    toIssuer({
      ...withConditions(['Ready', parts.ready ?? 'True']),
      metadata: {
        name: 'x',
        uid: parts.uid ?? 'u',
        generation: parts.generation ?? 1,
        annotations: { 'example.com/a': String(Math.random()), ...(parts.annotation && { [parts.annotation]: 'x' }) },
      },
    });
  for (const [what, before, now, expected] of [
    ['is not changed by a label or a foreign annotation', made(), made(), true],
    ['is changed by an annotation for pods', made(), made({ annotation: 'pods.countersign.io/usages' }), false],
    ['is changed by a misspelled one', made({ annotation: 'pods.countersign.io/usage' }), made(), false],
    ['is changed by its spec', made(), made({ generation: 2 }), false],
    ['is changed when its readiness changes', made({ ready: 'False' }), made(), false],
    ['is changed when it was recreated', made(), made({ uid: 'v' }), false],
    ['is changed when it appears', undefined, made(), false],
    ['is changed when it is deleted', made(), undefined, false],
    ['counts as changed without a generation', { metadata, spec: {} }, { metadata, spec: {} }, false],
  ] as const) {
    it(`an issuer ${what}`, () => assert.equal(isEquivalentForRequests(before, now), expected));
  }
});

describe('foreignType', () => {
  for (const [type, foreign] of [
    ['ca', undefined],
    ['selfSigned', undefined],
    ['acme', 'acme'],
    ['vault', undefined],
    ['venafi', 'venafi'],
  ] as const) {
    it(`foreignType is ${foreign} for ${type}`, () =>
      assert.equal(foreignType({ metadata, spec: { [type]: {} } }), foreign));
  }

  it('no issuer is foreign where cert-manager issues for Countersign', () => {
    const types = ['ca', 'selfSigned', 'acme', 'vault', 'venafi'];
    const foreign = types.map(type => foreignType({ metadata, spec: { [type]: {} } }, { delegates: true }));
    assert.deepEqual(foreign, [undefined, undefined, undefined, undefined, undefined]);
  });

  it('foreignType is undefined without a type', () => assert.equal(foreignType({ metadata, spec: {} }), undefined));
});

describe('isReady', () => {
  it('isReady is true for the condition Ready with status True', () => {
    assert.equal(isReady(withConditions(['Other', 'False'], ['Ready', 'True'])), true);
  });

  for (const status of ['False', 'Unknown', 'true']) {
    it(`isReady is false for status ${status}`, () => assert.equal(isReady(withConditions(['Ready', status])), false));
  }

  it('isReady is false where another condition is True', () => {
    assert.equal(isReady(withConditions(['Ready', 'False'], ['Issuing', 'True'])), false);
  });

  it('isReady is false without conditions', () => {
    assert.equal(isReady({ metadata, spec: {} }), false);
    assert.equal(isReady({ metadata, spec: {}, status: {} }), false);
  });

  it('isReady agrees with readyCondition', () => {
    assert.equal(readyCondition(withConditions(['Ready', 'False']))?.status, 'False');
    assert.equal(readyCondition({ metadata, spec: {} }), undefined);
  });
});

describe('the API path of an issuer', () => {
  it('the API path of an issuer is in its namespace, as its Secrets are', () => {
    assert.equal(issuerPath(issuer), '/apis/cert-manager.io/v1/namespaces/sandbox/issuers/my.issuer');
    assert.equal(secretNamespace(issuer, 'cert-manager'), 'sandbox');
  });

  it('the API path of an issuer is cluster-wide for a ClusterIssuer, whose Secrets are in one fixed namespace', () => {
    assert.equal(issuerPath(clusterIssuer), '/apis/cert-manager.io/v1/clusterissuers/my.issuer');
    assert.equal(secretNamespace(clusterIssuer, 'cert-manager'), 'cert-manager');
  });
});
