// Lists with pages that are too large: fewer objects are requested, and none is missed or read twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import { listObjects } from '@countersign/common/runtime/reflector/list-objects.ts';
import { RecordingClient } from '../../support/recording-client.ts';

/** A server with this many objects, whose responses are limited to a number of them. */
function createServer(count: number, fitting: number) {
  return new RecordingClient(({ path }) => {
    const query = new URL(path, 'http://x').searchParams;
    const from = Number(query.get('continue') ?? 0);
    const to = Math.min(from + Number(query.get('limit')), count);
    if (to - from > fitting) throw new TerminalError('too much', { code: 'too-large' });
    const items = Array.from({ length: to - from }, (_, index) => from + index);
    return { metadata: { resourceVersion: '7', ...(to < count && { continue: String(to) }) }, items };
  });
}

async function list(client: RecordingClient): Promise<unknown[]> {
  const read: unknown[] = [];
  assert.equal(await listEach(client, raw => read.push(raw)), '7');
  return read;
}

function listEach(client: RecordingClient, onObject: (raw: unknown) => void, signal = AbortSignal.timeout(5_000)) {
  return listObjects({ client, path: '/things', signal, mayBeOld: false, onBegin: () => undefined, onObject });
}

/** Keeps the event loop busy. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

for (const [count, fitting, limits] of [
  [400, 100, ['500', '125', '32']],
  [3_000, 600, ['500', '2500', '625', '157']],
  [3, 1, ['500', '125', '32', '8', '2', '1']],
] as const) {
  test(`all of ${count} objects are read once if ${fitting} fit into a response`, async () => {
    const client = createServer(count, fitting);
    assert.deepEqual(await list(client), [...Array(count).keys()]);
    const asked = client.calls.map(({ path }) => new URL(path, 'http://x').searchParams.get('limit'));
    assert.deepEqual([...new Set(asked)], limits);
  });
}

test('a list is restarted later if a page expired and the whole list is too large', async () => {
  const client = createServer(3_000, 2_500);
  const { answer } = client;
  client.answer = call => {
    if (call.path.includes('continue')) throw new RetryableError('expired', { code: 'gone' });
    return call.path.includes('limit') ? answer(call) : answer({ ...call, path: '/things?limit=3000' });
  };
  await assert.rejects(list(client), { code: 'gone' });
});

test('a single object that is too large is an error', async () => {
  await assert.rejects(list(createServer(1, 0)), { code: 'too-large' });
});

test('a page that takes long to process leaves the event loop to other work in between', async () => {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  });
  await listEach(createServer(100, 500), () => work(1));
  clearInterval(timer);
  assert.ok(turns >= 5, `${turns} turns in 100 ms`);
});

test('a list whose signal is aborted while a page is processed stores nothing more', async () => {
  const controller = new AbortController();
  let read = 0;
  const onObject = () => {
    work(10);
    read += 1;
    controller.abort();
  };
  await assert.rejects(listEach(createServer(100, 500), onObject, controller.signal), { name: 'AbortError' });
  assert.equal(read, 1);
});
