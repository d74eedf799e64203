// The client's watch against real sockets: lines however they are split, and every way a watch can end.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { JSON_LINES, readWatchEvents } from '@countersign/common/runtime/reflector/watch-stream.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import {
  type FakeApiServer,
  readEvents,
  sendStatus,
  startFakeApiServer,
  type WatchWriter,
  watchHandler,
} from './fake-api-server.ts';

let server: FakeApiServer;
let client: KubeClient;
const forever = new AbortController().signal;

before(async () => {
  server = await startFakeApiServer();
  client = server.client(20_000);
});
after(async () => {
  await client.close();
  await server.close();
});

function answerWatch(write: WatchWriter): void {
  server.handle(watchHandler('application/json', write));
}

function readWatch(signal = forever): ReturnType<typeof readEvents> {
  return readEvents(client, '/apis/x?watch=1', signal);
}

const added = { type: 'ADDED', object: { metadata: { name: 'grüße-✓' } } };
const line = `${JSON.stringify(added)}\n`;

const MIB = 1024 * 1024;

function lineOf(bytes: number): string {
  return `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x' }, data: 'y'.repeat(bytes) } })}\n`;
}

/**
 * CPU time to read a line of about this length in chunks of 64 bytes, in milliseconds: the best of five, because the
 * machine is shared.
 */
async function fastest(bytes: number): Promise<number> {
  const body = Buffer.from(lineOf(bytes));
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run += 1) {
    const started = cpuMs();
    for await (const event of readWatchEvents({ method: 'GET', path: '/x' }, piecesOf(body), JSON_LINES)) {
      assert.equal(event.type, 'ADDED');
    }
    best = Math.min(best, cpuMs() - started);
  }
  return best;
}

async function* piecesOf(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += 64) yield body.subarray(at, at + 64);
}

describe('lines', () => {
  test('several lines in one chunk, with empty lines between them, are read in order', async () => {
    answerWatch(response => void response.end(`${line}\n\r\n${line}${line}`));
    assert.deepEqual(await readWatch(), { events: [added, added, added], error: undefined });
  });

  test('a line split after every byte, even inside a character, is one event', async () => {
    answerWatch(async response => {
      for (const byte of Buffer.from(line)) {
        response.write(Buffer.of(byte));
        await setImmediate();
      }
      response.end();
    });
    assert.deepEqual(await readWatch(), { events: [added], error: undefined });
  });

  test('a line of 4 MiB is one event', async () => {
    answerWatch(response => void response.end(lineOf(4 * MIB)));
    assert.equal((await readWatch()).events.length, 1);
  });

  test('an endless line is aborted before it exhausts memory', async () => {
    let sent = 0;
    const endless = async function* () {
      for (; sent < 64 * MIB; sent += MIB) yield Buffer.alloc(MIB, 'x');
    };
    const watch = readWatchEvents({ method: 'GET', path: '/x' }, endless(), JSON_LINES);
    await assert.rejects(watch.next(), { code: 'server', message: /exceeds the maximum size/ });
    assert.ok(sent < 17 * MIB, `${sent} bytes were taken`);
  });

  test('a line in small chunks is read in linear time', async () => {
    const [small, large] = [await fastest(MIB / 4), await fastest(2 * MIB)];
    // 8 is linear, 64 quadratic.
    assert.ok(large / small < 24, `${small} ms, ${large} ms`);
  });
});

describe('ends', () => {
  test('a watch that the server ends has no error', async () => {
    answerWatch(response => void response.end(line));
    assert.deepEqual(await readWatch(), { events: [added], error: undefined });
  });

  for (const moment of ['before the first event', 'after an event'] as const) {
    test(`an aborted signal ends the watch without an error ${moment}`, async () => {
      const controller = new AbortController();
      answerWatch(response => void (moment === 'after an event' && response.write(line)));
      setTimeout(() => controller.abort(), 20);
      assert.equal((await readWatch(controller.signal)).error, undefined);
    });
  }

  test('a reader that stops early closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    answerWatch(response => {
      response.on('close', closed.resolve);
      response.write(line);
    });
    for await (const event of client.watch('/apis/x?watch=1', forever)) {
      assert.equal(event.type, 'ADDED');
      break;
    }
    await closed.promise;
  });

  const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } };
  const broken = [
    { name: 'an ERROR event with 410', text: `${line}${JSON.stringify(gone)}\n`, code: 'gone' },
    { name: 'an ERROR event without a code', text: `${line}{"type":"ERROR","object":null}\n`, code: 'server' },
    { name: 'a line that is not JSON', text: `${line}<html>\n`, code: 'server' },
    ...['{"metadata":{}}', '{"type":"ADDED"}', '{"object":{}}', 'null', '7'].map(text => ({
      name: `a line that is not an event: ${text}`,
      text: `${line}${text}\n`,
      code: 'server',
    })),
    { name: 'an event of an unknown type', text: `${line}{"type":"SUNG","object":{}}\n`, code: 'server' },
    { name: 'an end in the middle of a line', text: `${line}{"type":`, code: 'server' },
  ];
  for (const { name, text, code } of broken) {
    test(`${name} is thrown as retryable ${code}, after the events before it`, async () => {
      answerWatch(response => void response.end(text));
      const { events, error } = await readWatch();
      assert.deepEqual(events, [added]);
      assert.ok(error instanceof RetryableError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, /^GET \/apis\/x: /);
    });
  }

  test('a reset during the stream is thrown as a network error', async () => {
    answerWatch(response => {
      response.write(line);
      setTimeout(() => response.socket?.resetAndDestroy(), 10);
    });
    const { events, error } = await readWatch();
    assert.deepEqual(events, [added]);
    assert.equal((error as RetryableError).code, 'network');
  });

  test('a rejected watch is classified like any request', async () => {
    server.handle((_, response) => sendStatus(response, 403, 'Forbidden'));
    assert.equal(((await readWatch()).error as RetryableError).code, 'forbidden');
  });

  test('closing the client ends the watch', async () => {
    const other = server.client(20_000);
    answerWatch(response => void response.write(line));
    const watch = other.watch('/apis/x?watch=1', forever)[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    await other.close();
    await assert.rejects(next, { code: 'network' });
  });
});
