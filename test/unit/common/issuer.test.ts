// Issuers: their type, readiness and place, from plain objects.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  foreignType,
  isReady,
  isSameToRequests,
  issuerPath,
  issuerType,
  readyCondition,
  secretNamespace,
  toIssuer,
} from '@countersign/common/issuer.ts';

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
    it(`knows ${type}`, () => assert.equal(issuerType({ metadata, spec: { [type]: {} } }), type));
  }

  it('is undefined where the spec names no type', () => {
    assert.equal(issuerType({ metadata, spec: {} }), undefined);
  });

  it('is the first that cert-manager looks for where the spec names two', () => {
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

  it('keeps what is looked at', () => {
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
    ['of types that are left to others no more than the type', { vault: { server: 'x' }, venafi: null }, { vault: {} }],
    [
      'the URLs of a SelfSigned issuer',
      { selfSigned: { crlDistributionPoints: ['a'], x: 1 } },
      { selfSigned: { crlDistributionPoints: ['a'] } },
    ],
    ['nothing of a spec that is not there', undefined, {}],
  ] as const) {
    it(`keeps ${what}`, () =>
      assert.deepEqual(toIssuer({ metadata, spec }), { metadata, spec: expected, status: { conditions: [] } }));
  }

  it('does not keep a spec that would fill the memory', () => {
    const spec = { selfSigned: { crlDistributionPoints: ['x'.repeat(66_000)] } };
    assert.throws(
      () => toIssuer({ metadata, spec }),
      /^Error: the spec of x is 660\d\d characters long; the maximum is 65536$/,
    );
  });
});

describe('isSameToRequests', () => {
  const made = (parts: { uid?: string; generation?: number; ready?: string } = {}) => ({
    ...withConditions(['Ready', parts.ready ?? 'True']),
    metadata: { name: 'x', uid: parts.uid ?? 'u', generation: parts.generation ?? 1 },
  });
  for (const [what, before, now, expected] of [
    ['is not changed by a label', made(), made(), true],
    ['is changed by its spec', made(), made({ generation: 2 }), false],
    ['is changed when it becomes ready', made({ ready: 'False' }), made(), false],
    ['is another when it was made anew', made(), made({ uid: 'v' }), false],
    ['is not the same when it comes', undefined, made(), false],
    ['is not the same when it goes', made(), undefined, false],
    [
      'is changed for all that is known, where it has no generation',
      { metadata, spec: {} },
      { metadata, spec: {} },
      false,
    ],
  ] as const) {
    it(`an issuer ${what}`, () => assert.equal(isSameToRequests(before, now), expected));
  }
});

describe('foreignType', () => {
  for (const [type, foreign] of [
    ['ca', undefined],
    ['selfSigned', undefined],
    ['acme', 'acme'],
    ['vault', 'vault'],
    ['venafi', 'venafi'],
  ] as const) {
    it(`is ${foreign} for ${type}`, () => assert.equal(foreignType({ metadata, spec: { [type]: {} } }), foreign));
  }

  it('is undefined without a type', () => assert.equal(foreignType({ metadata, spec: {} }), undefined));
});

describe('isReady', () => {
  it('is true for the condition Ready with status True', () => {
    assert.equal(isReady(withConditions(['Other', 'False'], ['Ready', 'True'])), true);
  });

  for (const status of ['False', 'Unknown', 'true']) {
    it(`is false for status ${status}`, () => assert.equal(isReady(withConditions(['Ready', status])), false));
  }

  it('is false where another condition is True', () => {
    assert.equal(isReady(withConditions(['Ready', 'False'], ['Issuing', 'True'])), false);
  });

  it('is false without conditions', () => {
    assert.equal(isReady({ metadata, spec: {} }), false);
    assert.equal(isReady({ metadata, spec: {}, status: {} }), false);
  });

  it('goes with readyCondition', () => {
    assert.equal(readyCondition(withConditions(['Ready', 'False']))?.status, 'False');
    assert.equal(readyCondition({ metadata, spec: {} }), undefined);
  });
});

describe('the place of an issuer', () => {
  it('is in its namespace, its Secrets too', () => {
    assert.equal(issuerPath(issuer), '/apis/cert-manager.io/v1/namespaces/sandbox/issuers/my.issuer');
    assert.equal(secretNamespace(issuer, 'cert-manager'), 'sandbox');
  });

  it('is in the cluster for a ClusterIssuer, and its Secrets are in the one namespace set aside for them', () => {
    assert.equal(issuerPath(clusterIssuer), '/apis/cert-manager.io/v1/clusterissuers/my.issuer');
    assert.equal(secretNamespace(clusterIssuer, 'cert-manager'), 'cert-manager');
  });
});
