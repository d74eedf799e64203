import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenRequests } from '@countersign/signer/controllers/open-requests.ts';

const SIGNER = 'issuers.cert-manager.io/sandbox.my-ca';
const OTHER = 'clusterissuers.cert-manager.io/x';

function state(requests: OpenRequests) {
  return { named: [...requests.namedBy(SIGNER)], all: [...requests.all()] };
}

test('open requests are found by signer name and in the full list', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('b', OTHER, undefined);
  requests.update('c', SIGNER, undefined);
  assert.deepEqual(state(requests), { named: ['a', 'c'], all: ['a', 'c', 'b'] });
});

test('a finished or deleted request is removed from the index', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('a', undefined, SIGNER);
  assert.deepEqual(state(requests), { named: [], all: [] });
  requests.update('a', undefined, undefined);
  assert.deepEqual(state(requests), { named: [], all: [] });
});

test('a request that stays open after a change is listed once', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('a', SIGNER, SIGNER);
  assert.deepEqual(state(requests), { named: ['a'], all: ['a'] });
});

test('a request recreated for another issuer between two lists moves to that issuer', () => {
  const requests = new OpenRequests();
  requests.update('a', SIGNER, undefined);
  requests.update('a', OTHER, SIGNER);
  assert.deepEqual(state(requests), { named: [], all: ['a'] });
});
