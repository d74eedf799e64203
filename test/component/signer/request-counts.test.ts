// The guard on performance that counts work instead of time: how many calls of the API server one request costs, and how many
// a signer with nothing to do makes. A number that changes here changes the load on every cluster.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { createController } from './controller-world.ts';
import { ISSUER, PATCH, REVIEW, SECRET, SignerWorld } from './signer-world.ts';

describe('calls of the API server', () => {
  test('a certificate costs one review, one read of the Secret, one write and one event', async () => {
    const world = new SignerWorld();
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, SECRET, PATCH]);
    assert.equal(world.client.events.length, 1);
  });

  test('the Secret is read once for all certificates of one second', async () => {
    const world = new SignerWorld();
    for (let run = 0; run < 10; run += 1) await world.run();
    const count = (call: string) => world.asked.filter(asked => asked === call).length;
    assert.deepEqual([REVIEW, SECRET, PATCH].map(count), [10, 1, 10]);
  });

  test('a refusal costs two reviews, one read of the issuer, one write and one event, and reads no Secret', async () => {
    const world = new SignerWorld();
    world.mayReference = [];
    await world.run();
    assert.deepEqual(world.asked, [REVIEW, REVIEW, ISSUER, PATCH]);
    assert.equal(world.client.events.length, 1);
  });

  test('a signer with nothing to do lists three collections once and then only watches', async () => {
    const client = new RecordingClient(({ verb, path }) =>
      verb === 'get' && !path.includes('/leases/') ? { metadata: { resourceVersion: '1' }, items: [] } : undefined,
    );
    const stop = new AbortController();
    const controller = createController(client, { workers: 1, issuerStatus: 'auto' });
    const running = Promise.all([controller.watch(stop.signal), controller.lead(soleLeadership(stop.signal))]);
    // Longer than the second after which Secrets that something waits for are read again.
    await sleep(1_200);
    stop.abort();
    await running;
    const nameOf = (path: string) => path.replace(/\?.*/, '').split('/').at(-1) ?? '';
    const asked = client.calls.map(({ path }) => nameOf(path)).toSorted((a, b) => a.localeCompare(b));
    // The Lease of cert-manager's controller is looked for in two namespaces.
    const leases = ['cert-manager-controller', 'cert-manager-controller'];
    assert.deepEqual(asked, [...leases, 'certificatesigningrequests', 'clusterissuers', 'issuers']);
  });
});

describe('memory', () => {
  // It was 160 to 190 kB, the client and the world of the test included; the compiler decides how many it leaves out.
  const MOST_BYTES = 240_000;

  test('a certificate allocates no more than it did when this was last looked at', async () => {
    const world = new SignerWorld();
    const count = 300;
    const sign = async () => {
      const before = getHeapStatistics().total_allocated_bytes;
      for (let run = 0; run < count; run += 1) await world.run();
      return (getHeapStatistics().total_allocated_bytes - before) / count;
    };
    await sign();
    const bytes = await sign();
    assert.ok(bytes < MOST_BYTES, `${Math.round(bytes)} bytes for each certificate`);
  });
});
