// Issuers: their type, readiness and place, from plain objects.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  foreignType,
  isReady,
  issuerPath,
  issuerType,
  readyCondition,
  secretNamespace,
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
