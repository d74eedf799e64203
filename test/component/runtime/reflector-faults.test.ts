// The reflector against real sockets and a failing server: it recovers from every fault, soon but with backoff.

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendJson, sendStatus } from './fake-api-server.ts';
import type { Thing } from './fake-collection.ts';
import { contentsOf, LONG_MS, ReflectorFixture, TIMING } from './reflector-fixture.ts';

let fixture: ReflectorFixture;

beforeEach(async () => {
  fixture = await ReflectorFixture.create();
});
afterEach(() => fixture.close());

describe('a reflector with a failing server', () => {
  const endings = [
    { name: 'the server ended the watch', act: () => fixture.things.endWatches('end'), lists: 1, reason: 'closed' },
    { name: 'the connection was reset', act: () => fixture.things.endWatches('reset'), lists: 1, reason: 'network' },
    { name: 'the history was compacted', act: () => fixture.things.endWatches('end'), lists: 2, reason: 'gone' },
  ];
  for (const { name, act, lists, reason } of endings) {
    test(`changes are found and reported once after ${name}`, async () => {
      await fixture.startSynced();
      act();
      fixture.things.put('c', 3);
      fixture.things.delete('b');
      if (reason === 'gone') fixture.things.compact();
      await fixture.until(() => fixture.changes.length === 2);
      assert.deepEqual(fixture.changes.toSorted(), ['b: 2 -> none', 'c: none -> 3']);
      assert.equal(fixture.count('list'), lists);
      assert.ok(fixture.ends.includes(reason), fixture.ends.join());
    });
  }

  const expired = { type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old' } };
  const streams = [
    { name: '410 inside the stream', text: JSON.stringify(expired), reason: 'gone', lists: 2 },
    { name: 'garbage inside the stream', text: '<html>', reason: 'server', lists: 1 },
    { name: 'an object without a name', text: '{"type":"ADDED","object":{}}', reason: 'closed', lists: 1 },
  ];
  for (const { name, text, reason, lists } of streams) {
    test(`${name} causes a reconnect${lists > 1 ? ' and a new list' : ''}, nothing else`, async () => {
      let isBroken = true;
      fixture.handle((request, response) => {
        if (!isBroken || !request.url?.includes('watch=1')) return fixture.things.serve(request, response);
        isBroken = false;
        response.end(`${text}\n`);
      });
      const reflector = fixture.start();
      await fixture.until(() => fixture.things.watchCount === 1);
      assert.deepEqual([fixture.count('list'), fixture.ends, reflector.size], [lists, [reason], 2]);
    });
  }

  test('an expired continue token restarts the list in one page, without deleted objects', async () => {
    for (let index = 0; index < 600; index += 1) fixture.things.put(`thing-${index}`, index);
    fixture.handle((request, response) => {
      if (!request.url?.includes('continue=')) return fixture.things.serve(request, response);
      fixture.things.delete('a');
      sendStatus(response, 410, 'Expired');
    });
    const reflector = fixture.start();
    await fixture.until(() => reflector.hasSynced);
    assert.deepEqual([reflector.get('a'), reflector.size], [undefined, 601]);
    assert.equal(fixture.count('list'), 3);
  });

  test('a first list that breaks after a page is restarted with the latest version', async () => {
    for (let index = 0; index < 600; index += 1) fixture.things.put(`thing-${index}`, index);
    let isBroken = true;
    fixture.handle((request, response) => {
      if (!isBroken || !request.url?.includes('continue=')) return fixture.things.serve(request, response);
      isBroken = false;
      sendStatus(response, 500, 'InternalError');
    });
    const reflector = fixture.start();
    await fixture.until(() => reflector.hasSynced);
    const starts = fixture.requests.filter(line => !/continue=|watch=/.test(line));
    assert.deepEqual(
      starts.map(line => line.includes('NotOlderThan')),
      [true, false],
    );
  });

  test('a watch without events that does not end is replaced, without a list', async () => {
    const reflector = await fixture.startSynced({ timing: { ...TIMING, healthyMs: 1, idleMs: 40 } });
    await fixture.until(() => fixture.ends.includes('timeout') && fixture.things.watchCount === 1);
    fixture.things.put('c', 3);
    await fixture.until(() => reflector.size === 3);
    assert.equal(fixture.count('list'), 1);
  });

  test('watches that the server ends in a quiet collection are resumed without a list or a warning', async () => {
    await fixture.startSynced({ timing: { ...TIMING, healthyMs: 0 } });
    for (let ended = 1; ended <= 5; ended += 1) {
      fixture.things.endWatches('end');
      await fixture.until(() => fixture.ends.length === ended && fixture.things.watchCount === 1);
    }
    assert.equal(fixture.count('list'), 1);
    assert.deepEqual(
      fixture.lines.filter(line => line.includes('retrying')),
      [],
    );
  });

  test('a collection without events for a long time is listed again', async () => {
    await fixture.startSynced({ timing: { ...TIMING, healthyMs: 0, quietMs: 0 } });
    fixture.things.endWatches('end');
    await fixture.until(() => fixture.count('list') === 2);
  });

  test('relist ends the backoff', async () => {
    const reflector = await fixture.startSynced({
      timing: { ...TIMING, backoffMinMs: LONG_MS, backoffMaxMs: LONG_MS },
    });
    fixture.things.endWatches('reset');
    await fixture.until(() => fixture.ends.length === 1);
    fixture.things.put('c', 3);
    reflector.relist();
    await fixture.until(() => reflector.size === 3);
    assert.equal(fixture.count('list'), 2);
  });

  const refusals = [
    { name: 'a storm of 500', refuse: (response: ServerResponse) => sendStatus(response, 500, 'InternalError') },
    { name: 'a missing CRD', refuse: (response: ServerResponse) => sendStatus(response, 404, 'NotFound') },
    { name: 'missing RBAC', refuse: (response: ServerResponse) => sendStatus(response, 403, 'Forbidden') },
    { name: 'a response that is not a list', refuse: (response: ServerResponse) => sendJson(response, 200, ['what?']) },
    { name: 'a null', refuse: (response: ServerResponse) => sendJson(response, 200, null) },
  ];
  for (const { name, refuse } of refusals) {
    test(`the reflector recovers from ${name} without a busy loop`, async () => {
      let refused = 0;
      fixture.handle((request, response) => {
        refused += 1;
        if (refused <= 5) refuse(response);
        else fixture.things.serve(request, response);
      });
      const reflector = fixture.start({ random: () => 0.99, timing: { ...TIMING, backoffMinMs: 4, backoffMaxMs: 20 } });
      const started = performance.now();
      await fixture.until(() => reflector.hasSynced);
      // Nearly 4 + 8 + 16 + 20 + 20 ms.
      assert.ok(performance.now() - started > 60);
      assert.equal(fixture.lines.filter(line => line.includes('retrying')).length, 5);
    });
  }

  test('a Retry-After is honored', async () => {
    let isFirst = true;
    fixture.handle((request, response) => {
      if (!isFirst) return fixture.things.serve(request, response);
      isFirst = false;
      sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '0.15' });
    });
    const started = performance.now();
    const reflector = fixture.start();
    await fixture.until(() => reflector.hasSynced);
    assert.ok(performance.now() - started >= 145);
  });

  test('watches that keep breaking lead to a new list, unless one of them was healthy', async () => {
    const healthyMs = 300;
    await fixture.startSynced({ timing: { ...TIMING, healthyMs } });
    const breakOne = async (livedMs = 0) => {
      await fixture.until(() => fixture.things.watchCount === 1);
      await sleep(livedMs);
      fixture.things.endWatches('reset');
    };
    for (const livedMs of [0, 0, 1.5 * healthyMs, 0]) await breakOne(livedMs);
    await fixture.until(() => fixture.things.watchCount === 1);
    assert.equal(fixture.count('list'), 1);
    for (let turn = 0; turn < 20 && fixture.count('list') === 1; turn += 1) await breakOne();
    assert.equal(fixture.count('list'), 2);
  });

  test('a server that ends every watch at once is retried with backoff', async () => {
    fixture.handle((request, response) => {
      if (request.url?.includes('watch=1')) response.end();
      else fixture.things.serve(request, response);
    });
    const started = performance.now();
    fixture.start({ random: () => 0.99, timing: { ...TIMING, backoffMinMs: 20, backoffMaxMs: 1000 } });
    await fixture.until(() => fixture.count('watch') >= 4);
    // At 0, 20, 60 and 140 ms, nearly.
    assert.ok(performance.now() - started > 130);
  });

  test('errors of a change handler or a transform are logged and stop nothing', async () => {
    const reflector = await fixture.startSynced({
      onChange: key => {
        fixture.changes.push(key);
        throw new Error('handler is broken');
      },
      transform: raw => {
        const thing = raw as Thing;
        if (thing.value === 13) throw new Error('cannot read 13');
        return { metadata: { name: thing.metadata.name }, value: thing.value + 100 };
      },
    });
    fixture.things.put('odd', 13);
    fixture.things.put('c', 3);
    await fixture.until(() => fixture.changes.includes('c'));
    assert.deepEqual(contentsOf(reflector), { a: 101, b: 102, c: 103 });
    assert.equal(fixture.lines.filter(line => line.includes('change handler failed')).length, 3);
    assert.equal(
      fixture.lines.filter(line => line.includes('"key":"odd"') && line.includes('cannot parse object')).length,
      1,
    );
  });

  for (const moment of ['list', 'watch', 'backoff'] as const) {
    test(`the signal ends the reflector during a ${moment}`, async () => {
      const hang = (request: IncomingMessage, response: ServerResponse) => {
        if (moment === 'watch') fixture.things.serve(request, response);
        else if (moment === 'backoff') sendStatus(response, 500, 'InternalError');
      };
      fixture.handle(hang);
      fixture.start({ random: () => 0.99, timing: { ...TIMING, backoffMinMs: LONG_MS, backoffMaxMs: LONG_MS } });
      await fixture.until(() => fixture.count('list') === 1 && (moment !== 'watch' || fixture.things.watchCount === 1));
      await fixture.stop();
    });
  }
});
