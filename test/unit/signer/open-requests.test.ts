import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsrRecord } from '@countersign/signer/csr-record.ts';
import { OpenRequests } from '@countersign/signer/open-requests.ts';
import { buildCertificateOf, buildCsr } from '../../support/csr-builder.ts';

const POLICY = { writeCaAnnotation: true };

const SIGNER = 'issuers.cert-manager.io/sandbox.my-ca';
const OTHER = 'clusterissuers.cert-manager.io/x';
const open = (signerName = SIGNER) => toCsrRecord(buildCsr({ signerName }), 0, POLICY);
const done = toCsrRecord(buildCsr({ conditions: ['Denied'] }), 0, POLICY);
const repair = toCsrRecord(buildCsr({ certificate: buildCertificateOf() }), 0, POLICY);

function state(requests: OpenRequests) {
  return { named: [...requests.namedBy(SIGNER)], all: [...requests.all()] };
}

test('open requests are found by their signer name, and together', () => {
  const requests = new OpenRequests();
  requests.update('a', open(), undefined);
  requests.update('b', open(OTHER), undefined);
  requests.update('c', open(), undefined);
  assert.deepEqual(state(requests), { named: ['a', 'c'], all: ['a', 'c', 'b'] });
});

const ENDS = [
  ['is done', done],
  ['is gone', undefined],
] as const;
for (const [what, now] of ENDS) {
  test(`a request that ${what} is no longer found, and leaves nothing behind`, () => {
    const requests = new OpenRequests();
    requests.update('a', open(), undefined);
    requests.update('a', now, open());
    assert.deepEqual(state(requests), { named: [], all: [] });
    requests.update('a', undefined, now);
    assert.deepEqual(state(requests), { named: [], all: [] });
  });
}

test('a change that leaves a request open keeps it once, and one to repair counts as open', () => {
  const requests = new OpenRequests();
  requests.update('a', open(), undefined);
  requests.update('a', open(), open());
  requests.update('a', repair, open());
  assert.deepEqual(state(requests), { named: ['a'], all: ['a'] });
});

test('a request that was made anew for another issuer between two lists changes its place', () => {
  const requests = new OpenRequests();
  requests.update('a', open(), undefined);
  requests.update('a', open(OTHER), open());
  assert.deepEqual(state(requests), { named: [], all: ['a'] });
});
