// SPIFFE IDs: which trust domains there are, and the one form of an ID.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatSpiffeId, isTrustDomain } from '@countersign/common/pods/spiffe-id.ts';
import { isUri } from '@countersign/common/x509/uri-name.ts';
import * as fc from 'fast-check';

describe('isTrustDomain', () => {
  for (const text of ['cluster.local', 'a', 'prod_1.example-2.org', '127.0.0.1', 'x'.repeat(255)]) {
    it(`${text.slice(0, 20)} is a trust domain`, () => assert.equal(isTrustDomain(text), true));
  }

  for (const text of [
    '',
    'Example.org',
    'a/b',
    'a:80',
    'ü.example',
    'a b',
    'user@host',
    'a\n',
    '%61',
    '.',
    'a..b',
    '.a',
    'a.',
    'x'.repeat(256),
  ]) {
    it(`${JSON.stringify(text.slice(0, 20))} is not a trust domain`, () => assert.equal(isTrustDomain(text), false));
  }
});

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);

describe('formatSpiffeId', () => {
  it('a SPIFFE ID has namespace and ServiceAccount in its path', () => {
    const id = formatSpiffeId('cluster.local', { namespace: 'team', serviceAccountName: 'web.v1' });
    assert.equal(id, 'spiffe://cluster.local/ns/team/sa/web.v1');
  });

  it('different ServiceAccounts have different SPIFFE IDs, in URIs that Go can read', () => {
    const account = fc.record({
      namespace: label,
      serviceAccountName: fc.array(label, { minLength: 1, maxLength: 3 }).map(labels => labels.join('.')),
    });
    fc.assert(
      fc.property(account, account, (one, other) => {
        const [a, b] = [formatSpiffeId('td', one), formatSpiffeId('td', other)];
        assert.ok(isUri(a));
        const isSame = one.namespace === other.namespace && one.serviceAccountName === other.serviceAccountName;
        assert.equal(a === b, isSame);
      }),
    );
  });

  it('every trust domain makes a URI that Go can read', () => {
    const text = fc.stringMatching(/^[a-z0-9._-]{1,12}$/).filter(isTrustDomain);
    const account = { namespace: 'team', serviceAccountName: 'web' };
    fc.assert(fc.property(text, trustDomain => isUri(formatSpiffeId(trustDomain, account))));
  });

  it('names that could form another path throw', () => {
    for (const [trustDomain, namespace, serviceAccountName] of [
      ['td', 'team/sa/x', 'web'],
      ['td', 'team', '../root'],
      ['td', '', 'web'],
      ['TD', 'team', 'web'],
    ] as const) {
      assert.throws(() => formatSpiffeId(trustDomain, { namespace, serviceAccountName }), TypeError);
    }
  });
});
