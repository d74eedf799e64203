// Limits on what one caller can cost the webhook: how long parsed bodies, partial requests and unread answers are kept,
// and how much of a caller's text is repeated.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import type { AdmissionHandler } from '@countersign/webhook/handler.ts';
import { type ServerOptions, WebhookServer } from '@countersign/webhook/serving/server.ts';
import { request } from 'undici';
import { csr, ISSUERS, review } from '../../support/admission-reviews.ts';
import type { Answer } from '../../support/recording-client.ts';
import { until } from '../../support/until.ts';
import { readRequest } from '../../support/vectors.ts';
import { api, GRANTED } from './admission-cluster.ts';
import { KEY_PAIR, WebhookFixture } from './webhook-fixture.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let webhook: WebhookFixture;
let server: WebhookServer | undefined;
beforeEach(() => {
  webhook = new WebhookFixture();
});
afterEach(async () => {
  await webhook.agent.close();
  await server?.close();
  server = undefined;
});

/** Returns the port. */
async function serve(options: Partial<ServerOptions>): Promise<number> {
  const { handle, log, metrics } = webhook;
  server = new WebhookServer({ handle, log, metrics, graceMs: 200, ...options });
  server.useKeyPair(KEY_PAIR);
  return server.listen({ host: '127.0.0.1', port: 0 });
}

async function post(port: number, body: unknown): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const url = `https://127.0.0.1:${port}/validate`;
  const options = { method: 'POST', dispatcher: webhook.agent, headers, body: JSON.stringify(body) } as const;
  const { statusCode, body: answer } = await request(url, options);
  await answer.dump();
  return statusCode;
}

const POST_HEAD = 'POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

/** Fills the budget for large bodies with partial ones, each on its own connection. */
async function fillRoom(port: number): Promise<TLSSocket[]> {
  const sockets = await Promise.all(Array.from({ length: 4 }, () => open(port)));
  for (const socket of sockets) socket.resume().write(`${POST_HEAD}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`);
  await until(async () => (await post(port, { note: 'x'.repeat(70_000) })) === 429);
  return sockets;
}

async function open(port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: KEY_PAIR.cert });
  await once(socket, 'secureConnect');
  return socket;
}

/**
 * Whether the object can be garbage collected. Dereferencing keeps it alive until the end of the turn, hence the
 * new turns.
 */
async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  for (let turn = 0; turn < 10; turn += 1) {
    await nextTurn();
    collectGarbage();
    if (reference.deref() === undefined) return true;
  }
  return false;
}

describe('parsed bodies', () => {
  test('the handler releases a body before its answer is ready', async () => {
    const gate = Promise.withResolvers<void>();
    webhook.reset({
      ...GRANTED,
      answer: ({ body }) => gate.promise.then(() => ({ ...Object(body), status: { allowed: true } })),
    });
    const ask = () => {
      const body = review({ options: { rest: 'of the body' } });
      return { reference: new WeakRef(body), answer: webhook.handle(body) };
    };
    const { reference, answer } = ask();
    assert.ok(await isCollected(reference));
    gate.resolve();
    assert.equal((await answer).status, 200);
  });

  test('the server releases a body before its answer is ready', async () => {
    const gate = Promise.withResolvers<Awaited<ReturnType<AdmissionHandler>>>();
    const given = Promise.withResolvers<WeakRef<object>>();
    const port = await serve({
      handle: body => {
        given.resolve(new WeakRef(Object(body)));
        return gate.promise;
      },
    });
    const answer = post(port, review());
    const isGone = await isCollected(await given.promise);
    gate.resolve({ status: 400, body: { error: 'x' } });
    assert.equal(await answer, 400);
    assert.ok(isGone);
  });
});

/** The same limit applies to handshakes, which are slow on a busy machine. */
const PATIENT = { transferTimeoutMs: 1_000 };

describe('partial input', () => {
  test('a partial handshake times out', async () => {
    const socket = connectTcp(await serve(PATIENT), '127.0.0.1');
    await once(socket.resume(), 'close');
  });

  test('a partial body times out', async () => {
    const socket = await open(await serve(PATIENT));
    socket.write(`${POST_HEAD}content-length: 9\r\n\r\n{`);
    await once(socket.resume(), 'close');
  });
});

test('partial headers of a second request time out like those of the first', async () => {
  const socket = await open(await serve(PATIENT));
  assert.equal(await exchange(socket), '200');
  socket.write('POST /validate HTTP/1.1\r\nhost: x\r\nx: ');
  await once(socket.resume(), 'close');
});

test('an answer that the caller does not read in time is dropped with its connection', async () => {
  const error = 'x'.repeat(30_000_000);
  const port = await serve({ transferTimeoutMs: 200, handle: async () => ({ status: 400, body: { error } }) });
  const socket = await open(port);
  socket.write(`${POST_HEAD}content-length: 2\r\n\r\n{}`);
  await sleep(1_000);
  let taken = 0;
  socket.on('data', part => void (taken += part.length));
  await once(socket, 'close');
  assert.ok(taken < error.length, 'the rest was dropped');
});

test('large bodies are admitted up to 16 MiB in total, announced or sent; others get 429, except small ones', async () => {
  webhook.reset(GRANTED);
  const port = await serve({ transferTimeoutMs: 3_000 });
  const large = review({ object: csr({ annotations: { note: 'x'.repeat(70_000) } }) });
  const [first, ...others] = await fillRoom(port);
  assert.equal(await post(port, large), 429);
  assert.equal(await post(port, review()), 200);
  first?.destroy();
  await until(async () => (await post(port, large)) === 200);
  assert.ok(others.every(({ closed }) => !closed));
  await Promise.all(others.map(socket => once(socket.resume(), 'close')));
  assert.equal(await post(port, large), 200);
});

describe('a body that is sent although it was rejected', () => {
  const LARGE = 70_000;
  /** A connection whose request was rejected before its body arrived. */
  async function refused(): Promise<TLSSocket> {
    const port = await serve(PATIENT);
    const socket = await open(port);
    await fillRoom(port);
    socket.write(`${POST_HEAD}content-length: ${LARGE}\r\n\r\n`);
    assert.match(String(await once(socket, 'data')), /^HTTP\/1.1 429 /);
    return socket;
  }

  test('a rejected body that is sent in full does not break the connection', async () => {
    const socket = await refused();
    socket.write('x'.repeat(LARGE));
    await sleep(1.2 * PATIENT.transferTimeoutMs);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    assert.match(String(await once(socket, 'data')), /^HTTP\/1.1 404 /);
    socket.destroy();
  });

  test('a rejected body that is sent in part times out like any other', async () => {
    const socket = await refused();
    socket.write('x');
    await once(socket.resume(), 'close');
  });
});

test('an idle connection stays open between requests', async () => {
  const limits = { connections: 9, firstRequestMs: 1_000 };
  const socket = await open(await serve({ ...PATIENT, connectionLimits: limits }));
  for (let turn = 0; turn < 3; turn += 1) {
    assert.equal(await exchange(socket), '200');
    await sleep(1.2 * PATIENT.transferTimeoutMs);
  }
  assert.ok(!socket.closed);
  socket.destroy();
});

describe('too many connections', () => {
  const LIMITS = { connections: 4, firstRequestMs: 60_000 };

  test('connections without a request are closed, the oldest first, and one with a request stays open', async () => {
    const port = await serve({ connectionLimits: LIMITS });
    const caller = await open(port);
    assert.equal(await exchange(caller), '200');
    const silent: TLSSocket[] = [];
    for (let number = 0; number < 8; number += 1) silent.push((await open(port)).resume());
    await until(async () => silent.slice(0, 5).every(({ closed }) => closed));
    assert.ok(silent.slice(5).every(({ closed }) => !closed));
    assert.equal(await exchange(caller), '200');
    for (const socket of [caller, ...silent]) socket.destroy();
  });

  test('connections with a partial handshake are closed too, and a new caller is answered', async () => {
    const port = await serve({ connectionLimits: LIMITS });
    const halves = Array.from({ length: 12 }, () =>
      connectTcp(port, '127.0.0.1')
        .on('error', () => {})
        .resume(),
    );
    await until(async () => halves.filter(({ closed }) => closed).length === 8);
    const caller = await open(port);
    assert.equal(await exchange(caller), '200');
    for (const socket of [caller, ...halves]) socket.destroy();
  });

  test('a connection that sends no request in time is closed', async () => {
    const port = await serve({ connectionLimits: { connections: 4, firstRequestMs: 500 } });
    const socket = await open(port);
    await once(socket.resume(), 'close');
  });
});

/** Sends a review on this connection, and returns the status. */
async function exchange(socket: TLSSocket): Promise<string> {
  webhook.reset(GRANTED);
  const body = JSON.stringify(review());
  socket.write(`${POST_HEAD}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  const [answer] = await once(socket, 'data');
  return String(answer).slice(9, 12);
}

test('of a thousand pipelined requests one is handled, and the connection is closed', async () => {
  const answer = Promise.withResolvers<never>();
  webhook.reset({ issuers: ISSUERS, answer: () => answer.promise });
  const port = await serve({});
  const body = JSON.stringify(review());
  const socket = await open(port);
  const closed = Promise.withResolvers<void>();
  // The remaining writes fail because the connection is closed.
  socket
    .on('error', () => undefined)
    .on('close', closed.resolve)
    .resume();
  socket.write(`${POST_HEAD}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`.repeat(1_000));
  await closed.promise;
  assert.equal(webhook.client.calls.length, 1);
  webhook.reset(GRANTED);
  assert.equal(await post(port, review()), 200);
});

test('200 concurrent admissions of different requesters are all allowed, with at most 32 access reviews at a time', async () => {
  let [now, most] = [0, 0];
  const answer: Answer = async ({ verb, body }) => {
    if (verb === 'get') return undefined;
    most = Math.max(most, (now += 1));
    await sleep(5);
    now -= 1;
    return { ...Object(body), status: { allowed: true } };
  };
  webhook.reset({ issuers: ISSUERS, answer, reviewTimeoutMs: 10_000 });
  const ask = (_: unknown, at: number) =>
    webhook.handle(review({ userInfo: { username: 'jane', groups: [`team-${at}`] } }));
  const answers = await Promise.all(Array.from({ length: 200 }, ask));
  assert.ok(answers.every(({ body }) => 'response' in body && body.response.allowed));
  assert.equal(most, 32);
});

describe('texts that a caller chose', () => {
  const LONG = 'x'.repeat(500_000);
  const LOGGED = 3_000;

  async function ask(parts: Record<string, unknown>) {
    webhook.reset({ issuers: ISSUERS, answer: api([]) });
    const { body } = await webhook.handle(review(parts));
    assert.equal(webhook.logs.length, 1);
    assert.ok(JSON.stringify(webhook.logs).length < LOGGED, 'the log line is short');
    return body;
  }

  for (const [what, parts] of [
    ['a key', { userInfo: { extra: { [LONG]: 7 } } }],
    ['a key in the path of the error', { userInfo: { extra: { [LONG]: [7] } } }],
  ] as const) {
    test(`${what} is truncated in the error about the body`, async () => {
      const { error } = (await ask(parts)) as { error: string };
      assert.ok(error.length < 600, error.slice(0, 600));
    });
  }

  test('a uid is never truncated, since the answer must repeat it, and one that is too long is rejected', async () => {
    const uid = 'x'.repeat(256);
    const answer = await ask({ uid });
    assert.equal('response' in answer && answer.response.uid, uid);
    assert.deepEqual(await ask({ uid: `${uid}x` }), { error: 'request.uid is longer than 256 characters' });
  });

  test('names are truncated in the log', async () => {
    const { metadata, ...rest } = csr({ signerName: `example.com/${LONG}` });
    const object = { ...rest, metadata: { ...Object(metadata), name: LONG } };
    await ask({ subResource: LONG, userInfo: { username: LONG }, object });
  });

  test('a user name is truncated in the denial of a missing permission', async () => {
    const answer = JSON.stringify(await ask({ userInfo: { username: LONG } }));
    assert.ok(answer.length < 3_000);
    assert.match(answer, /user \\"x{255}…\\" cannot reference .* --user='<full user name>'/);
  });
});

describe('the length of answers', () => {
  const LONG = '\u0001'.repeat(400_000);
  const MANY = Array.from({ length: 300_000 }, () => 's/mime');
  const name = `${'n'.repeat(63)}.${Array.from({ length: 127 }, () => 'n').join('.')}`;
  const user = `'${'\u0001'.repeat(255)}`;

  for (const [what, parts] of [
    ['when every field is wrong', { usages: [LONG], request: LONG, annotations: { [REQUEST_DURATION]: LONG } }],
    ['however many usages are unknown', { usages: MANY.map(usage => `${usage}x`) }],
    ['however many usages the request lacks', { usages: MANY, request: readRequest('serving-client') }],
    ['however long the signer name is', { signerName: `issuers.cert-manager.io/${LONG}.${LONG}` }],
    ['however long the resource in the signer name is', { signerName: `${'x'.repeat(500_000)}.cert-manager.io/a` }],
  ] as const) {
    test(`an answer is short ${what}`, async () => {
      const { metadata, ...rest } = csr({ signerName: `issuers.cert-manager.io/${name}`, ...parts });
      const object = { ...rest, metadata: { ...Object(metadata), name: LONG } };
      webhook.reset({ answer: api([]) });
      const answer = await webhook.handle(review({ uid: LONG.slice(0, 256), userInfo: { username: user }, object }));
      assert.ok(Buffer.byteLength(JSON.stringify(answer.body)) < 65_536);
    });
  }
});
