import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenRequests } from '@countersign/signer/lines/open-requests.ts';

const SIGNER = 'issuers.cert-manager.io/sandbox.my-ca';
const OTHER = 'clusterissuers.cert-manager.io/x';

function state(requests: OpenRequests) {
  return { named: [...requests.namedBy(SIGNER)], all: [...requests.all()] };
}

test('open requests are found by their signer name, and together', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('b', OTHER, undefined);
  requests.update('c', SIGNER, undefined);
  assert.deepEqual(state(requests), { named: ['a', 'c'], all: ['a', 'c', 'b'] });
});

test('a request that is done or gone is no longer found, and leaves nothing behind', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('a', undefined, SIGNER);
  assert.deepEqual(state(requests), { named: [], all: [] });
  requests.update('a', undefined, undefined);
  assert.deepEqual(state(requests), { named: [], all: [] });
});

test('a change that leaves a request open keeps it once', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('a', SIGNER, SIGNER);
  assert.deepEqual(state(requests), { named: ['a'], all: ['a'] });
});

test('a request that was made anew for another issuer between two lists changes its place', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('a', OTHER, SIGNER);
  assert.deepEqual(state(requests), { named: [], all: ['a'] });
});
