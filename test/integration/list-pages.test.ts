// How a real API server handles list queries: it returns pages for a first list as well as later ones.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { listObjects } from '@countersign/common/runtime/reflector/list-objects.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const COUNT = 510;

let controlPlane: ControlPlane;
let client: KubeClient;

before(async () => {
  controlPlane = await startControlPlane();
  client = createClusterClient({ kubeconfig: controlPlane.adminKubeconfig });
  const names = Array.from({ length: COUNT }, (_, index) => `list-${index}`);
  await Promise.all(names.map(name => client.create(PATH, { metadata: { name } })));
});
after(async () => {
  await client?.close();
  await controlPlane?.stop();
});

for (const mayBeOld of [true, false]) {
  test(`a list that ${mayBeOld ? 'may be old' : 'must be the newest'} comes in pages`, async () => {
    const sizes: number[] = [];
    const counting: Pick<KubeClient, 'get'> = {
      get: async <T>(path: string, signal?: AbortSignal) => {
        const page = await client.get<T>(path, signal);
        sizes.push((page as { items: unknown[] }).items.length);
        return page;
      },
    };
    let listed = 0;
    const onBegin = () => assert.equal(listed, 0);
    const onObject = () => {
      listed += 1;
    };
    const { signal } = new AbortController();
    const resourceVersion = await listObjects({ client: counting, path: PATH, signal, mayBeOld, onBegin, onObject });
    assert.deepEqual(sizes, [500, COUNT - 500]);
    assert.equal(listed, COUNT);
    assert.match(resourceVersion, /^\d+$/);
  });
}
