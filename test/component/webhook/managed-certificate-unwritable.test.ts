// The managed certificate while its Secret cannot store a CA: the replicas serve, and report what to do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIGURATION, DAY_MS, FakeCluster, SECRET, type Stored } from './fake-cluster.ts';

const REMEDY = 'run "helm upgrade" or reapply the manifests to recreate it';
const IMMUTABLE =
  "Secret countersign/countersign-webhook-ca cannot be updated with the webhook's CA (it is immutable): " +
  `delete it ("kubectl delete secret -n countersign countersign-webhook-ca"), then ${REMEDY}`;
const MISSING = `Secret countersign/countersign-webhook-ca does not exist; ${REMEDY}`;

const CASES: readonly (readonly [string, string, (cluster: FakeCluster) => void])[] = [
  ['is missing', MISSING, cluster => cluster.objects.delete(SECRET)],
  ['is immutable and empty', IMMUTABLE, cluster => freeze(cluster, {})],
  ['is immutable and holds no CA', IMMUTABLE, cluster => freeze(cluster, { 'ca.crt': 'AAAA', 'ca.key': 'AAAA' })],
];

function freeze(cluster: FakeCluster, data: Record<string, string>): void {
  const metadata = { name: SECRET, resourceVersion: '8' };
  cluster.objects.set(SECRET, { metadata, data, immutable: true });
}

for (const [what, text, damage] of CASES) {
  describe(`while the Secret ${what}`, () => {
    test(`replicas that start while the Secret ${what} serve with their own trusted CAs, and report what to do`, async () => {
      const cluster = new FakeCluster();
      damage(cluster);
      const offers = await Promise.all([1, 2, 3].map(() => cluster.replica().read()));
      for (const { cert, problem } of offers) {
        assert.ok(cluster.trusts(cert));
        assert.equal(problem?.message, text);
      }
    });

    test(`a running replica stays trusted when others start while the Secret ${what}`, async () => {
      const cluster = new FakeCluster();
      const running = cluster.replica();
      const before = await running.read();
      damage(cluster);
      for (let count = 0; count < 3; count += 1) {
        const started = await cluster.replica().read();
        const { cert } = await running.read();
        assert.ok(cluster.trusts(started.cert) && cluster.trusts(cert) && cluster.trusts(before.cert));
      }
      assert.equal((await running.read()).cert, before.cert);
    });

    test(`replicas do not change the bundle once their CAs are in it while the Secret ${what}`, async () => {
      const cluster = new FakeCluster();
      damage(cluster);
      const replicas = [cluster.replica(), cluster.replica()];
      for (const replica of replicas) await replica.read();
      const bundle = JSON.stringify(cluster.objects.get(CONFIGURATION));
      for (const replica of [...replicas, ...replicas]) await replica.read();
      assert.equal(JSON.stringify(cluster.objects.get(CONFIGURATION)), bundle);
    });

    test(`all replicas adopt the CA of one of them when the Secret that ${what} is replaced by an empty one`, async () => {
      const cluster = new FakeCluster();
      damage(cluster);
      const [a, b] = [cluster.replica(), cluster.replica()];
      const [first, second] = [await a.read(), await b.read()];
      cluster.applySecret();
      const { cert, problem } = await a.read();
      assert.deepEqual([cert, problem], [first.cert, undefined]);
      assert.equal((await b.read()).cert, second.cert, "API servers may not know the other replica's CA yet");
      cluster.pass(60_000);
      const [one, other] = [await a.read(), await b.read()];
      assert.equal(cluster.signerOf(one.cert)?.serialNumber, cluster.signerOf(other.cert)?.serialNumber);
    });
  });
}

test('a replica without its Secret renews its certificate and its CA, and stays trusted for 400 days', {
  timeout: 120_000,
}, async () => {
  const cluster = new FakeCluster();
  cluster.objects.delete(SECRET);
  const replicas = [cluster.replica(), cluster.replica()];
  for (let day = 0; day < 400; day += 4) {
    for (const replica of replicas) assert.ok(cluster.trusts((await replica.read()).cert), `day ${day}`);
    cluster.pass(4 * DAY_MS);
  }
});

test('the CA in an immutable Secret is used until it expires, and the remedy is reported once it needs a successor', async () => {
  const cluster = new FakeCluster();
  await cluster.replica().read();
  cluster.objects.set(SECRET, { ...(cluster.objects.get(SECRET) as Stored), immutable: true });
  const [first] = cluster.trusted;
  cluster.pass(200 * DAY_MS);
  const replica = cluster.replica();
  assert.equal((await replica.read()).problem, undefined);
  for (let day = 200; day < 400; day += 4) {
    const { cert, problem } = await replica.read();
    assert.ok(cluster.trusts(cert), `day ${day}`);
    assert.equal(problem?.message, day < 244 ? undefined : IMMUTABLE, `day ${day}`);
    if (day < 360) assert.equal(cluster.signerOf(cert)?.serialNumber, first?.serialNumber);
    cluster.pass(4 * DAY_MS);
  }
});

test('a Secret that is deleted during the write counts as missing, and its replacement is filled next time', async () => {
  const cluster = new FakeCluster();
  const replica = cluster.replica();
  cluster.beforeWrite = ({ path }) => path.includes('/secrets/') && cluster.objects.delete(SECRET);
  const { cert, problem } = await replica.read();
  assert.ok(cluster.trusts(cert));
  assert.equal(problem?.message, MISSING);
  cluster.beforeWrite = () => undefined;
  cluster.applySecret();
  assert.equal((await replica.read()).problem, undefined);
});

test('the bundle stays bounded and the certificates trusted when the Secret is emptied a hundred times', {
  timeout: 120_000,
}, async () => {
  const cluster = new FakeCluster();
  const [a, b] = [cluster.replica(), cluster.replica()];
  let largest = 0;
  for (let count = 0; count < 100; count += 1) {
    const [first, second] = [await a.read(), await b.read()];
    assert.ok(cluster.trusts(first.cert) && cluster.trusts(second.cert), `Secret ${count}`);
    largest = Math.max(largest, cluster.trusted.length);
    cluster.applySecret();
    cluster.pass(5_000);
  }
  assert.ok(largest <= 70, `${largest} CAs`);
});

test('ten replicas with their own CAs stay trusted although another replica restarts fifteen times', async () => {
  const cluster = new FakeCluster();
  cluster.objects.delete(SECRET);
  const replicas = Array.from({ length: 10 }, () => cluster.replica());
  const offers = [];
  for (const replica of replicas) offers.push(await replica.read());
  for (let start = 0; start < 15; start += 1) await cluster.replica().read();
  for (const { cert } of offers) assert.ok(cluster.trusts(cert));
});
