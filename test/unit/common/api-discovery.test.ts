// Which resources an API server serves, as its discovery document says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isResourceServed } from '@countersign/common/runtime/kube/api-discovery.ts';
import { RecordingClient } from '../../support/recording-client.ts';

const PATH = '/apis/certificates.k8s.io/v1/podcertificaterequests';
const { signal } = new AbortController();

function ask(list: unknown): Promise<boolean> {
  return isResourceServed(new RecordingClient(() => list), PATH, signal);
}

test('a resource is served when the list of its group and version has its name', async () => {
  const client = new RecordingClient(() => ({ resources: [{ name: 'podcertificaterequests' }] }));
  assert.equal(await isResourceServed(client, PATH, signal), true);
  assert.deepEqual(
    client.calls.map(({ path }) => path),
    ['/apis/certificates.k8s.io/v1'],
  );
});

test('a resource is not served when its name is missing, or the group and version as a whole', async () => {
  assert.equal(await ask({ resources: [{ name: 'certificatesigningrequests' }] }), false);
  assert.equal(await ask(undefined), false);
});

test('an answer that is not a list of resources is tried again', async () => {
  await assert.rejects(ask({ kind: 'Status' }), { name: 'RetryableError', code: 'server' });
});
