// The managed certificate while its Secret can hold no CA: the replicas serve, and say what to do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIGURATION, DAY_MS, SECRET, type Stored, World } from './managed-certificate-world.ts';

const REMEDY = 'run "helm upgrade" or reapply the manifests to recreate it';
const IMMUTABLE =
  "Secret countersign/countersign-webhook-ca cannot be updated with the webhook's CA (it is immutable): " +
  `delete it ("kubectl delete secret -n countersign countersign-webhook-ca"), then ${REMEDY}`;
const MISSING = `Secret countersign/countersign-webhook-ca does not exist; ${REMEDY}`;

const CASES: readonly (readonly [string, string, (world: World) => void])[] = [
  ['is missing', MISSING, world => world.objects.delete(SECRET)],
  ['is immutable and empty', IMMUTABLE, world => freeze(world, {})],
  ['is immutable and holds no CA', IMMUTABLE, world => freeze(world, { 'ca.crt': 'AAAA', 'ca.key': 'AAAA' })],
];

function freeze(world: World, data: Record<string, string>): void {
  const metadata = { name: SECRET, resourceVersion: '8' };
  world.objects.set(SECRET, { metadata, data, immutable: true });
}

for (const [what, text, damage] of CASES) {
  describe(`while the Secret ${what}`, () => {
    test('replicas that start serve with CAs of their own, which are trusted, and say what to do', async () => {
      const world = new World();
      damage(world);
      const offers = await Promise.all([1, 2, 3].map(() => world.replica().read()));
      for (const { cert, problem } of offers) {
        assert.ok(world.trusts(cert));
        assert.equal(problem?.message, text);
      }
    });

    test('a replica that runs goes on, whichever others start', async () => {
      const world = new World();
      const running = world.replica();
      const before = await running.read();
      damage(world);
      for (let count = 0; count < 3; count += 1) {
        const started = await world.replica().read();
        const { cert } = await running.read();
        assert.ok(world.trusts(started.cert) && world.trusts(cert) && world.trusts(before.cert));
      }
      assert.equal((await running.read()).cert, before.cert);
    });

    test('replicas leave the bundle alone once their CAs are in it', async () => {
      const world = new World();
      damage(world);
      const replicas = [world.replica(), world.replica()];
      for (const replica of replicas) await replica.read();
      const bundle = JSON.stringify(world.objects.get(CONFIGURATION));
      for (const replica of [...replicas, ...replicas]) await replica.read();
      assert.equal(JSON.stringify(world.objects.get(CONFIGURATION)), bundle);
    });

    test('a new empty Secret is filled with the CA that a replica serves by, and all agree on it', async () => {
      const world = new World();
      damage(world);
      const [a, b] = [world.replica(), world.replica()];
      const [first, second] = [await a.read(), await b.read()];
      world.applySecret();
      const { cert, problem } = await a.read();
      assert.deepEqual([cert, problem], [first.cert, undefined]);
      assert.equal((await b.read()).cert, second.cert, 'API servers may not know the CA of the other yet');
      world.pass(60_000);
      const [one, other] = [await a.read(), await b.read()];
      assert.equal(world.signerOf(one.cert)?.serialNumber, world.signerOf(other.cert)?.serialNumber);
    });
  });
}

test('without its Secret a replica renews its certificate and its CA, and is trusted for 400 days', {
  timeout: 120_000,
}, async () => {
  const world = new World();
  world.objects.delete(SECRET);
  const replicas = [world.replica(), world.replica()];
  for (let day = 0; day < 400; day += 4) {
    for (const replica of replicas) assert.ok(world.trusts((await replica.read()).cert), `day ${day}`);
    world.pass(4 * DAY_MS);
  }
});

test('an immutable Secret with a CA is served by until it expires, and says what to do when the CA needs a successor', async () => {
  const world = new World();
  await world.replica().read();
  world.objects.set(SECRET, { ...(world.objects.get(SECRET) as Stored), immutable: true });
  const [first] = world.trusted;
  world.pass(200 * DAY_MS);
  const replica = world.replica();
  assert.equal((await replica.read()).problem, undefined);
  for (let day = 200; day < 400; day += 4) {
    const { cert, problem } = await replica.read();
    assert.ok(world.trusts(cert), `day ${day}`);
    assert.equal(problem?.message, day < 244 ? undefined : IMMUTABLE, `day ${day}`);
    if (day < 360) assert.equal(world.signerOf(cert)?.serialNumber, first?.serialNumber);
    world.pass(4 * DAY_MS);
  }
});

test('a Secret that is deleted while it is written counts as missing, and the next look fills its successor', async () => {
  const world = new World();
  const replica = world.replica();
  world.beforeWrite = ({ path }) => path.includes('/secrets/') && world.objects.delete(SECRET);
  const { cert, problem } = await replica.read();
  assert.ok(world.trusts(cert));
  assert.equal(problem?.message, MISSING);
  world.beforeWrite = () => undefined;
  world.applySecret();
  assert.equal((await replica.read()).problem, undefined);
});

test('a hundred Secrets of others in a row cost a bounded bundle, and what is served stays trusted', {
  timeout: 120_000,
}, async () => {
  const world = new World();
  const [a, b] = [world.replica(), world.replica()];
  let largest = 0;
  for (let count = 0; count < 100; count += 1) {
    const [first, second] = [await a.read(), await b.read()];
    assert.ok(world.trusts(first.cert) && world.trusts(second.cert), `Secret ${count}`);
    largest = Math.max(largest, world.trusted.length);
    world.applySecret();
    world.pass(5_000);
  }
  assert.ok(largest <= 70, `${largest} CAs`);
});

test('ten replicas with CAs of their own are trusted, although one of them starts again fifteen times', async () => {
  const world = new World();
  world.objects.delete(SECRET);
  const replicas = Array.from({ length: 10 }, () => world.replica());
  const offers = [];
  for (const replica of replicas) offers.push(await replica.read());
  for (let start = 0; start < 15; start += 1) await world.replica().read();
  for (const { cert } of offers) assert.ok(world.trusts(cert));
});
