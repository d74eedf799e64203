// The reflector against real sockets, without faults: its cache follows the server, and it reports changes only.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import { problemsOf } from '@countersign/common/runtime/reflector/reflector-health.ts';
import { sendStatus } from './fake-api-server.ts';
import type { Thing } from './fake-collection.ts';
import { PATH, ReflectorFixture } from './reflector-fixture.ts';

let fixture: ReflectorFixture;

beforeEach(async () => {
  fixture = await ReflectorFixture.create();
});
afterEach(() => fixture.close());

/** Resolves when the first watch is open on the client side. */
async function startAndHear(now: () => number): Promise<Reflector<Thing>> {
  const reflector = await fixture.startSynced({ now });
  fixture.things.put('heard', 3);
  await fixture.until(() => reflector.size === 3);
  return reflector;
}

describe('a reflector without faults', () => {
  test('all objects are listed once, then changes are reported', async () => {
    const reflector = fixture.start();
    assert.equal(reflector.hasSynced, false);
    assert.equal(reflector.isFresh(Date.now()), false);
    await fixture.until(() => fixture.things.watchCount === 1);
    fixture.things.put('c', 3, 'ns');
    fixture.things.put('a', 10);
    fixture.things.delete('b');
    await fixture.until(() => fixture.changes.length === 5);
    assert.deepEqual(fixture.changes, [
      'a: none -> 1',
      'b: none -> 2',
      'ns/c: none -> 3',
      'a: 1 -> 10',
      'b: 2 -> none',
    ]);
    assert.deepEqual(
      [reflector.get('a')?.value, reflector.get('b'), reflector.get('ns/c')?.value, reflector.size],
      [10, undefined, 3, 2],
    );
    assert.equal(reflector.isFresh(Date.now()), true);
    assert.equal(fixture.count('list'), 1);
    assert.deepEqual([fixture.lists, fixture.sizes], [1, [2, 3, 3, 2]]);
    await fixture.stop();
    assert.deepEqual(fixture.ends, []);
  });

  for (const [random, seconds] of [
    [0, 8],
    [0.9999, 12],
  ] as const) {
    test(`the watch requests bookmarks and a timeout of ${seconds} s for the random number ${random}`, async () => {
      await fixture.startSynced({ random: () => random });
      const query = `watch=1&allowWatchBookmarks=true&resourceVersion=102&timeoutSeconds=${seconds}`;
      assert.equal(fixture.requests.at(-1), `GET ${PATH}?${query}`);
    });
  }

  test('a long list is read in pages, first of 500, then of 2 500', async () => {
    for (let index = 0; index < 5_000; index += 1) fixture.things.put(`thing-${index}`, index);
    const reflector = fixture.start();
    await fixture.until(() => reflector.hasSynced);
    assert.equal(reflector.size, 5_002);
    assert.equal(fixture.count('list'), 3);
  });

  test('the first list uses any cached version, a later one the latest', async () => {
    await fixture.startSynced();
    fixture.things.endWatches('end');
    fixture.things.put('c', 3);
    fixture.things.compact();
    await fixture.until(() => fixture.count('list') === 2);
    const lists = fixture.requests.filter(line => !line.includes('watch='));
    assert.deepEqual(lists, [
      `GET ${PATH}?limit=500&resourceVersion=1&resourceVersionMatch=NotOlderThan`,
      `GET ${PATH}?limit=500`,
    ]);
  });

  test('a selector in the path is kept', async () => {
    fixture.start({ path: `${PATH}?fieldSelector=spec.x%3Dy` });
    await fixture.until(() => fixture.things.watchCount === 1);
    assert.ok(fixture.requests.every(line => line.includes(`${PATH}?fieldSelector=spec.x%3Dy&`)));
  });

  test('the next watch resumes from the last bookmark', async () => {
    const reflector = await fixture.startSynced();
    fixture.things.put('c', 3);
    fixture.things.bookmark();
    await fixture.until(() => reflector.size === 3);
    fixture.things.endWatches('end');
    await fixture.until(() => fixture.things.watchCount === 1 && fixture.count('watch') === 2);
    assert.match(fixture.requests.at(-1) ?? '', /resourceVersion=103/);
    assert.equal(fixture.count('list'), 1);
  });

  test('an opened watch makes the cache fresh before any event', async () => {
    let now = 1000;
    const reflector = await startAndHear(() => now);
    now += 180_001;
    assert.equal(reflector.isFresh(now), false);
    fixture.things.endWatches('reset');
    await fixture.until(() => reflector.isFresh(now));
    assert.deepEqual([fixture.count('list'), fixture.count('watch')], [1, 2]);
  });

  test('the cache becomes stale without events', async () => {
    let now = 1000;
    const reflector = await startAndHear(() => now);
    now += 180_001;
    assert.equal(reflector.isFresh(now), false);
    fixture.things.bookmark();
    await fixture.until(() => reflector.isFresh(now));
  });
});

describe('a resource that the API server may not serve', () => {
  test('a resource that the API server may not serve is empty and no problem while it is not served, and is listed once it is', async () => {
    let isServed = false;
    const reflector = fixture.start({ isServed: async () => isServed });
    await fixture.until(() => reflector.isAbsent);
    assert.deepEqual(problemsOf([reflector], Date.now()), []);
    assert.equal(fixture.count('list'), 0);
    isServed = true;
    await fixture.until(() => reflector.hasSynced);
    assert.deepEqual([reflector.isAbsent, reflector.size], [false, 2]);
    assert.equal(fixture.lines.filter(line => line.includes('resource not served by the API server')).length, 1);
  });

  test('a resource that the API server may not serve is empty once the API server no longer serves it, as after a downgrade', async () => {
    let isServed = true;
    const reflector = await fixture.startSynced({ isServed: async () => isServed });
    isServed = false;
    reflector.relist();
    await fixture.until(() => reflector.isAbsent);
    assert.deepEqual([reflector.size, fixture.sizes.at(-1)], [0, 0]);
    assert.deepEqual(fixture.changes.toSorted(), ['a: 1 -> none', 'b: 2 -> none']);
  });

  test('a resource that the API server may not serve is no problem and is logged once while the process may not list it, and is listed once it may', async () => {
    let mayList = false;
    fixture.handle((request, response) =>
      mayList ? fixture.things.serve(request, response) : sendStatus(response, 403, 'Forbidden'),
    );
    const reflector = fixture.start({ isServed: async () => true });
    await fixture.until(() => fixture.count('list') > 3);
    assert.deepEqual(problemsOf([reflector], Date.now()), []);
    assert.equal(fixture.lines.filter(line => line.includes('"level":"warn"')).length, 1, fixture.lines.join(''));
    assert.deepEqual([reflector.isBarred, reflector.isAbsent], [true, false]);
    mayList = true;
    await fixture.until(() => reflector.hasSynced);
    assert.deepEqual([reflector.isBarred, reflector.size], [false, 2]);
  });

  test('a resource that the API server may not serve is a problem while the process may not list a resource that it cannot do without', async () => {
    fixture.handle((_, response) => sendStatus(response, 403, 'Forbidden'));
    const reflector = fixture.start();
    await fixture.until(() => fixture.count('list') > 3);
    assert.deepEqual(problemsOf([reflector], Date.now()), ['things: not listed yet']);
  });

  test('a resource that the API server may not serve is a problem as long as the API server does not say whether it is served', async () => {
    const reflector = fixture.start({ isServed: () => Promise.reject(new Error('down')) });
    await fixture.until(() => fixture.lines.some(line => line.includes('down')));
    assert.deepEqual(problemsOf([reflector], Date.now()), ['things: not listed yet']);
  });
});
