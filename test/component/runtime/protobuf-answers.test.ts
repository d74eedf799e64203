// The client against a server that responds in protobuf: requested for one resource, decoded as JSON would be, and
// every failure classified the same.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { ProtobufReader } from '@countersign/common/runtime/kube/protobuf/protobuf.ts';
import { envelope, message, watchFrame } from '../../support/protobuf-writer.ts';
import {
  type FakeApiServer,
  failureOf,
  readEvents,
  sendJson,
  startFakeApiServer,
  type WatchWriter,
  watchHandler,
} from './fake-api-server.ts';

const PATH = '/apis/x/v1/things';
const TYPE = 'application/vnd.kubernetes.protobuf';

let server: FakeApiServer;
let client: KubeClient;

before(async () => {
  server = await startFakeApiServer();
  // No request may time out because the machine is busy.
  client = server.client(20_000, undefined, { paths: new RegExp(`^${PATH}`), kinds: { Thing: readThing } });
});
after(async () => {
  await client.close();
  await server.close();
});

function readThing(reader: ProtobufReader): object {
  reader.next();
  return { metadata: { name: reader.string() } };
}

function thing(name: string): Buffer {
  return envelope('Thing', message([1, name]));
}

/** metav1.Status: a failure of 429 that asks to wait three seconds. */
function status(code: number, reason: string): Buffer {
  return envelope('Status', message([2, 'Failure'], [3, 'told so'], [4, reason], [5, message([5, 3])], [6, code]));
}

function answer(code: number, body: Buffer): void {
  server.handle((_, response) => response.writeHead(code, { 'content-type': TYPE }).end(body));
}

describe('answers', () => {
  test('protobuf is requested at the given path, and JSON everywhere else', async () => {
    const accepted: unknown[] = [];
    server.handle((request, response) => {
      accepted.push(request.headers.accept);
      sendJson(response, 200, { answer: 42 });
    });
    assert.deepEqual(await client.get(`${PATH}/a`), { answer: 42 });
    assert.deepEqual(await client.get('/apis/x/v1/others'), { answer: 42 });
    assert.deepEqual(accepted, [`${TYPE}, application/json`, 'application/json']);
  });

  test('an object is decoded by the decoder of its kind', async () => {
    answer(200, thing('grüße'));
    assert.deepEqual(await client.mergePatch(`${PATH}/a/status`, {}), { metadata: { name: 'grüße' } });
  });

  test('a Status has the failure, its reason and the delay', async () => {
    answer(429, status(429, 'TooManyRequests'));
    const error = await failureOf(client.get(PATH));
    assert.ok(error instanceof RetryableError);
    assert.deepEqual([error.code, error.retryAfterMs], ['throttled', 3000]);
    assert.equal(error.message, `GET ${PATH}: 429 TooManyRequests: told so`);
  });

  test('a missing object reads as undefined', async () => {
    answer(404, status(404, 'NotFound'));
    assert.equal(await client.get(`${PATH}/a`), undefined);
  });

  const garbage: readonly (readonly [string, Buffer])[] = [
    ['no envelope', Buffer.from('{}')],
    ['an unexpected kind', envelope('Other', Buffer.alloc(0))],
    ['a kind named like an object property', envelope('constructor', Buffer.alloc(0))],
    ['a truncated message', thing('name').subarray(0, -6)],
  ];
  for (const [name, body] of garbage) {
    test(`${name} is a server error`, async () => {
      answer(200, body);
      const error = await failureOf(client.get(PATH));
      assert.deepEqual([error.code, error.message], ['server', `GET ${PATH}: cannot decode the response`]);
    });
  }
});

function answerWatch(write: WatchWriter): void {
  server.handle(watchHandler(`${TYPE};stream=watch`, write));
}

describe('a watch', () => {
  const frames = Buffer.concat([watchFrame('ADDED', thing('a')), watchFrame('DELETED', thing('b'))]);
  const events = [
    { type: 'ADDED', object: { metadata: { name: 'a' } } },
    { type: 'DELETED', object: { metadata: { name: 'b' } } },
  ];

  test('several events in one chunk are read in order', async () => {
    answerWatch(response => void response.end(Buffer.concat([frames, frames])));
    assert.deepEqual(await readEvents(client, `${PATH}?watch=1`), { events: [...events, ...events], error: undefined });
  });

  test('events split after every byte are read the same', async () => {
    answerWatch(async response => {
      for (const byte of frames) {
        response.write(Buffer.of(byte));
        await setImmediate();
      }
      response.end();
    });
    assert.deepEqual(await readEvents(client, `${PATH}?watch=1`), { events, error: undefined });
  });

  const broken: readonly (readonly [string, Buffer, string])[] = [
    ['an ERROR event', watchFrame('ERROR', status(410, 'Expired')), 'gone'],
    ['an end in the middle of an event', frames.subarray(0, 9), 'server'],
    ['an end in the middle of a length', frames.subarray(0, 2), 'server'],
    ['an event of an unknown type', watchFrame('SUNG', thing('a')), 'server'],
    ['a malformed event', watchFrame('ADDED', Buffer.from('x')), 'server'],
    ['a length beyond all objects', Buffer.alloc(8, 0xff), 'server'],
  ];
  for (const [name, bytes, code] of broken) {
    test(`${name} is thrown as retryable ${code}, after the events before it`, async () => {
      answerWatch(response => void response.end(Buffer.concat([frames, bytes])));
      const read = await readEvents(client, `${PATH}?watch=1`);
      assert.deepEqual(read.events, events);
      assert.ok(read.error instanceof RetryableError, String(read.error));
      assert.equal(read.error.code, code);
    });
  }
});
