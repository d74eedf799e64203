// The managed certificate: creation, rotation, and replicas that share one CA.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { CONFIGURATION, DAY_MS, FakeCluster, SECRET, type Stored } from './fake-cluster.ts';

test('the first replica creates a CA, publishes it, and serves with a certificate from it for all names', async () => {
  const cluster = new FakeCluster();
  const { cert } = await cluster.replica().read();
  const leaf = new X509Certificate(cert);
  assert.ok(cluster.trusts(cert));
  assert.equal(leaf.subjectAltName, 'DNS:countersign-webhook.countersign.svc, IP Address:127.0.0.1');
  assert.equal(leaf.ca, false);
  assert.equal(cluster.trusted[0]?.ca, true);
});

test('replicas that start at the same moment agree on one CA, each with its own key', async () => {
  const cluster = new FakeCluster();
  const pairs = await Promise.all([1, 2, 3].map(() => cluster.replica().read()));
  assert.equal(cluster.trusted.length, 1);
  assert.ok(pairs.every(({ cert }) => cluster.trusts(cert)));
  assert.equal(new Set(pairs.map(({ key }) => key)).size, 3);
});

test('a replica that starts with a new CA next to others gives API servers time to learn of it; the first replica does not wait', async () => {
  const cluster = new FakeCluster();
  await cluster.replica().read();
  await cluster.replica().read();
  assert.deepEqual(cluster.waits, []);
  cluster.applySecret();
  await cluster.replica().read();
  assert.deepEqual(cluster.waits, [2_000]);
});

test('nothing is written while nothing is due', async () => {
  const cluster = new FakeCluster();
  const replica = cluster.replica();
  const first = await replica.read();
  const before = cluster.client.writes.length;
  cluster.pass(DAY_MS);
  assert.deepEqual(await replica.read(), first);
  assert.equal(cluster.client.writes.length, before);
});

test('the serving certificate is renewed at two thirds of its lifetime', async () => {
  const cluster = new FakeCluster();
  const replica = cluster.replica();
  const first = await replica.read();
  cluster.pass(4 * DAY_MS);
  assert.equal(await replica.read(), first);
  cluster.pass(DAY_MS);
  const second = await replica.read();
  assert.notEqual(second.cert, first.cert);
  assert.ok(cluster.trusts(second.cert));
});

test('a serving certificate that expires together with its CA is not reissued each time, since it could not last longer', async () => {
  const cluster = new FakeCluster();
  await cluster.replica().read();
  cluster.pass(365 * DAY_MS - 100_000);
  const replica = cluster.replica();
  const first = await replica.read();
  cluster.pass(5_000);
  assert.equal(await replica.read(), first);
});

test('a Secret that is emptied while in use gets a new CA, and the certificates in use stay trusted', async () => {
  const cluster = new FakeCluster();
  const [a, b] = [cluster.replica(), cluster.replica()];
  const served = await b.read();
  await a.read();
  cluster.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' } });
  assert.equal((await b.read()).cert, served.cert, 'API servers may not know the new CA yet');
  assert.ok(cluster.trusts(served.cert));
  await a.read();
  cluster.pass(60_000);
  const { cert } = await a.read();
  assert.ok(cluster.trusts(cert));
  assert.ok(cluster.trusts(served.cert));
  assert.notEqual(cluster.signerOf(cert)?.serialNumber, cluster.signerOf(served.cert)?.serialNumber);
});

test('a bundle that is emptied is restored', async () => {
  const cluster = new FakeCluster();
  const replica = cluster.replica();
  const { cert } = await replica.read();
  const configuration = cluster.objects.get(CONFIGURATION) as Stored;
  cluster.objects.set(CONFIGURATION, {
    ...configuration,
    webhooks: [{ name: 'requests.countersign.io', clientConfig: {} }],
  });
  assert.ok(!cluster.trusts(cert));
  await replica.read();
  assert.ok(cluster.trusts(cert));
});

test('a missing webhook configuration is reported, and no certificate is issued', async () => {
  const cluster = new FakeCluster();
  cluster.objects.delete(CONFIGURATION);
  await assert.rejects(cluster.replica().read(), /ValidatingWebhookConfiguration countersign-webhook does not exist/);
});

test('a CA that expired while no replica was running is replaced at once', async () => {
  const cluster = new FakeCluster();
  await cluster.replica().read();
  cluster.pass(400 * DAY_MS);
  assert.ok(cluster.trusts((await cluster.replica().read()).cert));
});

test('a CA that is not valid yet is replaced at once, and stays trusted since the clock of another replica may be ahead', async () => {
  const cluster = new FakeCluster();
  cluster.pass(400 * DAY_MS);
  await cluster.replica().read();
  const [first] = cluster.trusted;
  cluster.pass(-400 * DAY_MS);
  const { cert } = await cluster.replica().read();
  assert.ok((cluster.signerOf(cert)?.validFromDate ?? cluster.now) < cluster.now);
  assert.ok(cluster.trusted.some(({ serialNumber }) => serialNumber === first?.serialNumber));
});

test('a serving certificate that is not valid yet because the clock was wrong is reissued', async () => {
  const cluster = new FakeCluster();
  await cluster.replica().read();
  const replica = cluster.replica();
  cluster.pass(2 * DAY_MS);
  await replica.read();
  cluster.pass(-2 * DAY_MS);
  assert.ok(new X509Certificate((await replica.read()).cert).validFromDate <= cluster.now);
});

test('three replicas serve only trusted certificates throughout two years of CA rotations', {
  // Two seconds of work: about a hundred keys and certificates.
  timeout: 120_000,
}, async () => {
  const cluster = new FakeCluster();
  const replicas = [cluster.replica(), cluster.replica(), cluster.replica()];
  const signers = new Set<string>();
  for (let day = 0; day < 730; day += 60) {
    // Each step of a rotation happens in one of these rounds, and one replica is always ahead of the others.
    for (let round = 0; round < 4; round += 1) {
      for (const replica of [...replicas, cluster.replica()]) {
        const { cert } = await replica.read();
        assert.ok(cluster.trusts(cert), `day ${day}, round ${round}`);
        signers.add(cluster.signerOf(cert)?.serialNumber ?? '');
      }
      cluster.pass(45_000);
    }
    cluster.pass(60 * DAY_MS - 180_000);
  }
  assert.equal(signers.size, 3);
  assert.ok(cluster.trusted.length <= 2, 'former CAs are dropped when they expire');
});
