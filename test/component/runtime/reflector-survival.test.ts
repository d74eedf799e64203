// The main property of a reflector: whatever the server does, the cache is right once it recovers.

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import { sendStatus, startFakeApiServer } from './fake-api-server.ts';
import { FakeCollection, type Thing } from './fake-collection.ts';
import { contentsOf } from './reflector-fixture.ts';

/** Numerical Recipes' linear congruential generator: the same faults for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

type Fault = (things: FakeCollection, request: IncomingMessage, response: ServerResponse) => void;

const FAULTS: readonly Fault[] = [
  (things, request, response) => things.serve(request, response),
  (things, request, response) => things.serve(request, response),
  (_things, _request, response) => void response.socket?.resetAndDestroy(),
  (_things, _request, response) => sendStatus(response, 500, 'InternalError'),
  (_things, _request, response) => sendStatus(response, 401, 'Unauthorized'),
  (_things, _request, response) => sendStatus(response, 404, 'NotFound'),
  (_things, _request, response) => sendStatus(response, 410, 'Expired'),
  (_things, _request, response) => sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '0' }),
  (_things, _request, response) => void response.end('<html>'),
  (_things, _request, response) => void response.end('{"type":"ADDED","obj'),
  (_things, _request, response) => void response.writeHead(200, { 'content-length': '99' }).write('{'),
  () => undefined,
];

/** One step: objects change, history is compacted, watches break. */
function disturb(things: FakeCollection, random: () => number): void {
  const name = `thing-${Math.floor(random() * 20)}`;
  if (random() < 0.3) things.delete(name);
  else things.put(name, Math.floor(random() * 1000));
  if (random() < 0.1) things.compact();
  if (random() < 0.2) things.endWatches(random() < 0.5 ? 'end' : 'reset');
}

for (const seed of [1, 2, 3, 4]) {
  test(`the cache and the reported changes are right after random faults (seed ${seed})`, async () => {
    const random = createRandom(seed);
    const server = await startFakeApiServer();
    const client = server.client(50);
    const things = new FakeCollection();
    server.handle((request, response) => FAULTS[Math.floor(random() * FAULTS.length)]?.(things, request, response));
    const told = new Map<string, number>();
    const reflector = new Reflector<Thing>({
      client,
      path: '/apis/example.test/v1/things',
      name: 'things',
      log: createLogger({ service: 'test', level: 'error', destination: { write: () => undefined } }),
      onChange: (key, now, earlier) => {
        assert.equal(told.get(key), earlier?.value);
        if (now === undefined) told.delete(key);
        else told.set(key, now.value);
      },
      random,
      timing: { backoffMinMs: 1, backoffMaxMs: 4, idleMs: 60, healthyMs: 20, quietMs: 60_000 },
    });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);

    for (let step = 0; step < 120; step += 1) {
      disturb(things, random);
      await sleep(1);
    }
    server.handle((request, response) => things.serve(request, response));

    const isRight = () => isDeepStrictEqual(contentsOf(reflector), things.contents);
    for (let waited = 0; !isRight() && waited < 1500; waited += 1) await sleep(1);
    assert.deepEqual(contentsOf(reflector), things.contents);
    assert.deepEqual(Object.fromEntries(told), things.contents);
    stop.abort();
    await running;
    await client.close();
    await server.close();
  });
}
