// Signer names: which are ours, which issuer each refers to, and that every text has one of three results.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatRef,
  formatSignerName,
  parseSignerName,
  type SignerRef,
  tenantOf,
} from '@countersign/common/signer-name.ts';
import * as fc from 'fast-check';

const issuer = (namespace: string, name: string): SignerRef => ({ kind: 'Issuer', namespace, name });
const clusterIssuer = (name: string): SignerRef => ({ kind: 'ClusterIssuer', namespace: '', name });

const READABLE: Readonly<Record<string, SignerRef>> = {
  'issuers.cert-manager.io/sandbox.my-issuer': issuer('sandbox', 'my-issuer'),
  'issuers.cert-manager.io/sandbox.my.dotted.issuer': issuer('sandbox', 'my.dotted.issuer'),
  'clusterissuers.cert-manager.io/my-issuer': clusterIssuer('my-issuer'),
  'clusterissuers.cert-manager.io/my.dotted.issuer': clusterIssuer('my.dotted.issuer'),
  'issuers.cert-manager.io/1.2': issuer('1', '2'),
};

const FOREIGN = [
  '',
  '/',
  'issuers.cert-manager.io',
  'kubernetes.io/kube-apiserver-client',
  'example.com/issuers.cert-manager.io',
  'cert-manager.io/sandbox.my-issuer',
  '.cert-manager.io/x',
  'issuers.acme.cert-manager.io/sandbox.my-issuer',
  'issuers.cert-manager.io.example.com/sandbox.my-issuer',
  'issuers.cert-manager-io/sandbox.my-issuer',
  'Issuers.cert-manager.io/sandbox.my-issuer',
  'my-issuers.cert-manager.io/sandbox.my-issuer',
  '\nissuers.cert-manager.io/sandbox.my-issuer',
];

const MALFORMED: Readonly<Record<string, RegExp>> = {
  'issuers.cert-manager.io/no-namespace': /missing namespace/,
  'issuers.cert-manager.io/': /missing namespace/,
  'issuers.cert-manager.io/.x': /"" is not a valid namespace name/,
  'issuers.cert-manager.io/x.': /"" is not a valid Issuer name/,
  'issuers.cert-manager.io/x..y': /"\.y" is not a valid Issuer name/,
  'issuers.cert-manager.io/sandbox.a/b': /"a\/b" is not a valid/,
  'issuers.cert-manager.io/sandbox.My-Issuer': /"My-Issuer" is not a valid/,
  'issuers.cert-manager.io/sandbox.x\n': /is not a valid/,
  'clusterissuers.cert-manager.io/': /"" is not a valid ClusterIssuer name/,
  'clusterissuers.cert-manager.io/..': /"\.\." is not a valid/,
  'clusterissuers.cert-manager.io/.x': /"\.x" is not a valid/,
  [`clusterissuers.cert-manager.io/${'x'.repeat(254)}`]: /is not a valid/,
  [`issuers.cert-manager.io/${'n'.repeat(64)}.x`]: /is not a valid namespace name/,
  'foos.cert-manager.io/x': /the resource must be "issuers" or "clusterissuers", is "foos"/,
  'certificates.cert-manager.io/sandbox.x': /the resource must be/,
};

describe('parseSignerName', () => {
  for (const [text, ref] of Object.entries(READABLE)) {
    it(`parseSignerName reads ${text}`, () => assert.deepEqual(parseSignerName(text), { ok: true, value: ref }));
  }

  for (const text of FOREIGN) {
    it(`parseSignerName treats ${JSON.stringify(text)} as foreign`, () => {
      assert.deepEqual(parseSignerName(text), { ok: false, error: { kind: 'foreign' } });
    });
  }

  for (const [text, detail] of Object.entries(MALFORMED)) {
    it(`parseSignerName explains why ${JSON.stringify(text.slice(0, 60))} is malformed`, () => {
      const parsed = parseSignerName(text);
      assert.ok(!parsed.ok && parsed.error.kind === 'malformed');
      assert.match(parsed.error.detail, detail);
    });
  }

  it('parseSignerName handles every text, and valid ones round-trip', () => {
    const ours = fc.constantFrom('issuers', 'clusterissuers', 'foos').map(word => `${word}.cert-manager.io/`);
    const path = fc.string({ unit: fc.constantFrom('a', '1', '-', '.', '/', 'A', '\n', 'é') });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(ours, path).map(parts => parts.join('')),
        ),
        text => {
          const parsed = parseSignerName(text);
          if (parsed.ok) assert.equal(formatSignerName(parsed.value), text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('parseSignerName reverses formatSignerName', () => {
    const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.'));
    const ref = fc.oneof(
      name.map(clusterIssuer),
      fc.tuple(label, name).map(([ns, rest]) => issuer(ns, rest)),
    );
    fc.assert(
      fc.property(ref, value => assert.deepEqual(parseSignerName(formatSignerName(value)), { ok: true, value })),
    );
  });
});

describe('formatRef', () => {
  it('formatRef shows namespace and name', () =>
    assert.equal(formatRef(issuer('sandbox', 'my.issuer')), 'sandbox/my.issuer'));
  it('formatRef leaves the namespace of a ClusterIssuer empty', () =>
    assert.equal(formatRef(clusterIssuer('x')), '/x'));
});

describe('tenantOf', () => {
  for (const [signerName, tenant] of [
    ['issuers.cert-manager.io/sandbox.one', 'namespace/sandbox'],
    ['issuers.cert-manager.io/sandbox.two', 'namespace/sandbox'],
    ['clusterissuers.cert-manager.io/sandbox', 'sandbox'],
    ['issuers.cert-manager.io/no-namespace', ''],
  ] as const) {
    it(`tenantOf is "${tenant}" for ${signerName}`, () => assert.equal(tenantOf(signerName), tenant));
  }
});
