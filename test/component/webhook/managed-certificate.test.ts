import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { CONFIGURATION, DAY_MS, SECRET, type Stored, World } from './managed-certificate-world.ts';

test('the first replica makes a CA, has it trusted, and serves for all the names with a certificate of it', async () => {
  const world = new World();
  const { cert } = await world.replica().read();
  const leaf = new X509Certificate(cert);
  assert.ok(world.trusts(cert));
  assert.equal(leaf.subjectAltName, 'DNS:countersign-webhook.countersign.svc, IP Address:127.0.0.1');
  assert.equal(leaf.ca, false);
  assert.equal(world.trusted[0]?.ca, true);
});

test('replicas that start at the same moment agree on one CA, each with a key of its own', async () => {
  const world = new World();
  const pairs = await Promise.all([1, 2, 3].map(() => world.replica().read()));
  assert.equal(world.trusted.length, 1);
  assert.ok(pairs.every(({ cert }) => world.trusts(cert)));
  assert.equal(new Set(pairs.map(({ key }) => key)).size, 3);
});

test('a replica that starts with a CA that is new beside others gives API servers time to learn of it; the first one waits for nothing', async () => {
  const world = new World();
  await world.replica().read();
  await world.replica().read();
  assert.deepEqual(world.waits, []);
  world.applySecret();
  await world.replica().read();
  assert.deepEqual(world.waits, [2_000]);
});

test('nothing is written while nothing is due', async () => {
  const world = new World();
  const replica = world.replica();
  const first = await replica.read();
  const before = world.client.writes.length;
  world.pass(DAY_MS);
  assert.deepEqual(await replica.read(), first);
  assert.equal(world.client.writes.length, before);
});

test('the serving certificate is renewed at two thirds of its life', async () => {
  const world = new World();
  const replica = world.replica();
  const first = await replica.read();
  world.pass(4 * DAY_MS);
  assert.equal(await replica.read(), first);
  world.pass(DAY_MS);
  const second = await replica.read();
  assert.notEqual(second.cert, first.cert);
  assert.ok(world.trusts(second.cert));
});

test('shortly before its CA ends, a serving certificate is not made anew at each look: another would end no later', async () => {
  const world = new World();
  await world.replica().read();
  world.pass(365 * DAY_MS - 100_000);
  const replica = world.replica();
  const first = await replica.read();
  world.pass(5_000);
  assert.equal(await replica.read(), first);
});

test('a Secret that somebody emptied in use gets a new CA, and what is served until the next look stays trusted', async () => {
  const world = new World();
  const [a, b] = [world.replica(), world.replica()];
  const served = await b.read();
  await a.read();
  world.objects.set(SECRET, { metadata: { name: SECRET, resourceVersion: '7' } });
  assert.equal((await b.read()).cert, served.cert, 'API servers may not know the new CA yet');
  assert.ok(world.trusts(served.cert));
  await a.read();
  world.pass(60_000);
  const { cert } = await a.read();
  assert.ok(world.trusts(cert));
  assert.ok(world.trusts(served.cert));
  assert.notEqual(world.signerOf(cert)?.serialNumber, world.signerOf(served.cert)?.serialNumber);
});

test('a bundle that somebody emptied or replaced is put back', async () => {
  const world = new World();
  const replica = world.replica();
  const { cert } = await replica.read();
  const configuration = world.objects.get(CONFIGURATION) as Stored;
  world.objects.set(CONFIGURATION, {
    ...configuration,
    webhooks: [{ name: 'requests.countersign.io', clientConfig: {} }],
  });
  assert.ok(!world.trusts(cert));
  await replica.read();
  assert.ok(world.trusts(cert));
});

test('without a webhook configuration there is nothing to serve for, and the text says so', async () => {
  const world = new World();
  world.objects.delete(CONFIGURATION);
  await assert.rejects(world.replica().read(), /ValidatingWebhookConfiguration countersign-webhook does not exist/);
});

test('a CA that ended while no replica ran is replaced at once', async () => {
  const world = new World();
  await world.replica().read();
  world.pass(400 * DAY_MS);
  assert.ok(world.trusts((await world.replica().read()).cert));
});

test('a CA that is not valid yet is replaced at once, and stays trusted, since the clock of another replica may be ahead', async () => {
  const world = new World();
  world.pass(400 * DAY_MS);
  await world.replica().read();
  const [first] = world.trusted;
  world.pass(-400 * DAY_MS);
  const { cert } = await world.replica().read();
  assert.ok((world.signerOf(cert)?.validFromDate ?? world.now) < world.now);
  assert.ok(world.trusted.some(({ serialNumber }) => serialNumber === first?.serialNumber));
});

test('a serving certificate that begins in the future, since the clock was wrong, is made anew', async () => {
  const world = new World();
  await world.replica().read();
  const replica = world.replica();
  world.pass(2 * DAY_MS);
  await replica.read();
  world.pass(-2 * DAY_MS);
  assert.ok(new X509Certificate((await replica.read()).cert).validFromDate <= world.now);
});

test('throughout two years in which three replicas look in turn, all that is served is trusted, and CAs come and go', {
  // Two seconds of work: some hundred keys and certificates.
  timeout: 120_000,
}, async () => {
  const world = new World();
  const replicas = [world.replica(), world.replica(), world.replica()];
  const signers = new Set<string>();
  for (let day = 0; day < 730; day += 60) {
    // Each step of a rotation happens at one of these looks, and one replica is always ahead of the others.
    for (let look = 0; look < 4; look += 1) {
      for (const replica of [...replicas, world.replica()]) {
        const { cert } = await replica.read();
        assert.ok(world.trusts(cert), `day ${day}, look ${look}`);
        signers.add(world.signerOf(cert)?.serialNumber ?? '');
      }
      world.pass(45_000);
    }
    world.pass(60 * DAY_MS - 180_000);
  }
  assert.equal(signers.size, 3);
  assert.ok(world.trusted.length <= 2, 'former CAs are dropped when they end');
});
