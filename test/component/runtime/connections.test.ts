// The connections of the kube client against real sockets: which are kept, which are given up, and which requests are
// cancelled once their connection is ready.

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { until } from '../../support/until.ts';
import {
  disposable,
  type FakeApiServer,
  failureOf,
  readEvents,
  sendJson,
  startFakeApiServer,
} from './fake-api-server.ts';

let server: FakeApiServer;
let client: KubeClient;

before(async () => {
  server = await startFakeApiServer();
  client = server.client(10_000);
});
after(async () => {
  await client.close();
  await server.close();
});

describe('a patch that is no longer wanted', () => {
  test('a patch that is no longer wanted is not sent, with or without a connection', async () => {
    const sent: unknown[] = [];
    server.handle((request, response) => (sent.push(request.method), sendJson(response, 200, {})));
    await using fresh = disposable(server.client(10_000));
    for (const connection of ['new', 'kept']) {
      const error = await failureOf(fresh.mergePatch('/a/status', {}, () => false));
      assert.deepEqual([error.name, error.code], ['RetryableError', 'unknown'], connection);
      assert.match(error.message, /^PATCH \/a\/status: not sent: leadership was lost/);
      await fresh.get('/x');
    }
    assert.deepEqual(sent, ['GET', 'GET']);
  });

  test('a patch that is no longer wanted is not sent after it waited for a connection', async () => {
    const held: ServerResponse[] = [];
    const methods = new Set<string | undefined>();
    server.handle((request, response) => (methods.add(request.method), held.push(response)));
    await using fresh = disposable(server.client(10_000));
    const answers = Promise.all(Array.from({ length: 64 }, () => fresh.get('/x')));
    await until(() => held.length === 64);
    let isWanted = true;
    const failure = failureOf(fresh.mergePatch('/a/status', {}, () => isWanted));
    await sleep(20);
    isWanted = false;
    for (const response of held.splice(0)) sendJson(response, 200, {});
    assert.match((await failure).message, /not sent/);
    await answers;
    assert.deepEqual([...methods], ['GET']);
  });

  test('a patch that is no longer wanted is awaited once it was sent', async () => {
    let isWanted = true;
    server.handle((_, response) => {
      isWanted = false;
      sendJson(response, 200, { ok: true });
    });
    assert.deepEqual(await client.mergePatch('/a/status', {}, () => isWanted), { ok: true });
  });
});

async function readAll(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

/** Sends three concurrent requests, each on its own connection; returns the connections. */
async function getThree(given: KubeClient): Promise<ReadonlySet<Socket>> {
  const held: ServerResponse[] = [];
  const sockets = new Set<Socket>();
  server.handle((request, response) => (sockets.add(request.socket), held.push(response)));
  const answers = Promise.all(Array.from({ length: 3 }, () => given.get('/x')));
  await until(() => held.length === 3);
  for (const response of held) sendJson(response, 200, {});
  await answers;
  return sockets;
}

describe('dead connections', () => {
  test('dead connections are all given up after one times out, and new requests use new ones', async () => {
    await using fresh = disposable(server.client(200));
    const earlier = await getThree(fresh);
    server.handle(() => undefined);
    assert.equal((await failureOf(fresh.get('/x'))).code, 'timeout');
    assert.deepEqual(
      [...(await getThree(fresh))].filter(socket => earlier.has(socket)),
      [],
    );
  });

  test('dead connections are not assumed when a caller cancels', async () => {
    await using fresh = disposable(server.client(10_000));
    const earlier = await getThree(fresh);
    server.handle(() => undefined);
    assert.equal((await failureOf(fresh.get('/x', AbortSignal.timeout(20)))).code, 'timeout');
    const kept = [...(await getThree(fresh))].filter(socket => earlier.has(socket));
    assert.ok(kept.length >= 2, 'all but the one that was given up');
  });

  test('dead connections do not fail requests in flight', async () => {
    await using fresh = disposable(server.client(400));
    server.handle((request, response) => {
      if (request.url === '/slow') setTimeout(() => sendJson(response, 200, { slow: true }), 300);
    });
    const lost = failureOf(fresh.get('/lost'));
    await sleep(250);
    const slow = fresh.get('/slow');
    assert.equal((await lost).code, 'timeout');
    assert.deepEqual(await slow, { slow: true });
  });
});

describe('the connections of watches', () => {
  const line = `${JSON.stringify({ type: 'BOOKMARK', object: {} })}\n`;
  const watchOnce = (given: KubeClient) => readEvents(given, '/watch');

  test('the connections of watches are reused after the server ended the watch normally', async () => {
    await using fresh = disposable(server.client(10_000));
    // Longer than an idle connection is kept, so that the same one is reused each time.
    server.handle((_, response) => {
      response.write(line);
      setTimeout(() => response.end(), 1_200);
    });
    const earlier = server.connections();
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await watchOnce(fresh)).error, undefined);
    assert.equal(server.connections() - earlier, 1);
  });

  test('the connections of watches are not reused after being idle for a while, because they may be dead', async () => {
    await using fresh = disposable(server.client(10_000));
    server.handle((_, response) => void response.end(line));
    await watchOnce(fresh);
    const earlier = server.connections();
    await sleep(1_500);
    await watchOnce(fresh);
    assert.equal(server.connections() - earlier, 1);
  });

  test('the connections of watches are not reused after the watch was cancelled', async () => {
    await using fresh = disposable(server.client(10_000));
    const open = (_: IncomingMessage, response: ServerResponse) => void response.write(line);
    server.handle(open);
    const earlier = server.connections();
    for (let turn = 0; turn < 3; turn += 1) await readEvents(fresh, '/watch', AbortSignal.timeout(50));
    assert.equal(server.connections() - earlier, 3);
  });
});

describe('connections', () => {
  test('consecutive requests use one or two connections', async () => {
    const fresh = server.client(10_000);
    server.handle((_, response) => sendJson(response, 200, {}));
    const earlier = server.connections();
    for (let index = 0; index < 100; index += 1) await fresh.get('/x');
    // undici may open a second one while the first is not yet marked as idle.
    assert.ok(server.connections() - earlier <= 2);
    await fresh.close();
  });

  test('64 requests are in flight at a time while 70 watches are open, and reuse their connections', async t => {
    const fresh = server.client(10_000);
    const held: ServerResponse[] = [];
    server.handle((request, response) => {
      if (request.url === '/watch') response.writeHead(200).flushHeaders();
      else held.push(response);
    });
    const stop = new AbortController();
    t.after(async () => {
      stop.abort();
      await fresh.close();
    });
    const watches = Array.from({ length: 70 }, () => readAll(fresh.watch('/watch', stop.signal)));
    const earlier = server.connections();
    for (let round = 0; round < 3; round += 1) {
      const answers = Promise.all(Array.from({ length: 64 }, () => fresh.get('/x')));
      await Promise.race([answers, until(() => held.length === 64)]);
      for (const response of held.splice(0)) sendJson(response, 200, {});
      await answers;
    }
    assert.ok(server.connections() - earlier <= 64 + 70, String(server.connections() - earlier));
    stop.abort();
    await Promise.all(watches);
  });

  test('close lets a request in flight finish, and rejects the next one', async () => {
    const fresh = server.client(10_000);
    server.handle((_, response) => void setTimeout(() => sendJson(response, 200, { late: true }), 20));
    const answer = fresh.get('/x');
    await sleep(10);
    await fresh.close();
    assert.deepEqual(await answer, { late: true });
    assert.equal((await failureOf(fresh.get('/x'))).code, 'network');
  });
});
