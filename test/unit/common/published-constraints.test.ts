// The webhook reads the name constraints that the signer published, for the same issuer only, within the size limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findPublished,
  formatPublished,
  fromPublished,
  MAX_PUBLISHED,
  type PublishedIssuer,
  parsePublished,
  toPublished,
} from '@countersign/common/issuers/published-constraints.ts';
import { constrainedCa } from '../../support/name-constraints.ts';

const REF = { kind: 'Issuer', namespace: 'sandbox', name: 'ca' } as const;
const NAME = 'issuers.cert-manager.io/sandbox.ca';
const CA = constrainedCa('my CA', { permitted: ['DNS:example.com'] });

function publish(issuers: Readonly<Record<string, PublishedIssuer>>) {
  return formatPublished(new Map(Object.entries(issuers)));
}

test('published constraints round-trip', () => {
  const issuers = parsePublished(publish({ [NAME]: toPublished('u1', [CA]) }).text);
  const found = findPublished(issuers, REF, 'u1');
  assert.deepEqual(found && fromPublished(found), [CA]);
});

test('a recreated issuer has no published constraints, nor has one of another kind, name or namespace', () => {
  const issuers = parsePublished(publish({ [NAME]: toPublished('u1', [CA]) }).text);
  const refs = [
    REF,
    { ...REF, kind: 'ClusterIssuer', namespace: '' },
    { ...REF, name: 'b' },
    { ...REF, namespace: 'b' },
  ] as const;
  const uids = ['u2', 'u1', 'u1', 'u1'];
  assert.deepEqual(
    refs.map((ref, at) => findPublished(issuers, ref, uids[at] ?? '')),
    [undefined, undefined, undefined, undefined],
  );
});

test('the published text is empty without issuers', () => {
  assert.deepEqual(publish({}), { text: '', leftOut: [] });
});

test('the published text does not depend on the order of issuers', () => {
  const [a, b] = [toPublished('a', [CA]), toPublished('b', [CA])];
  assert.equal(publish({ a, b }).text, publish({ b, a }).text);
});

test('issuers with huge constraints are left out, and do not displace those with small ones', () => {
  const ofSize = (size: number): PublishedIssuer => ({
    uid: 'u',
    cas: [{ subject: '', critical: true, constraints: 'A'.repeat(size) }],
  });
  const large = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`large-${at}`, ofSize(60_000)]));
  const { text, leftOut } = publish({ huge: ofSize(70_000), ...large, small: toPublished('u1', [CA]) });
  assert.ok(text.length <= MAX_PUBLISHED);
  assert.deepEqual([leftOut.includes('huge'), leftOut.includes('small'), leftOut.length], [true, false, 13]);
  assert.deepEqual(Object.keys(parsePublished(text)).length, 9);
});

test('a foreign text is rejected, and malformed constraints are skipped', () => {
  assert.throws(() => parsePublished('{"a": {}}'), TypeError);
  assert.throws(() => parsePublished('['), SyntaxError);
  assert.deepEqual(fromPublished({ uid: 'u', cas: [{ subject: '', critical: true, constraints: 'AAAA' }] }), []);
});
