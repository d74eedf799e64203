// How the webhook answers, logs and counts HTTP requests of any kind.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { AdmissionHandler } from '@countersign/webhook/handler.ts';
import { BODY_LIMIT } from '@countersign/webhook/serving/bodies.ts';
import { WebhookServer } from '@countersign/webhook/serving/server.ts';
import * as fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { review } from '../../support/admission-reviews.ts';
import { GRANTED } from './admission-cluster.ts';
import { InjectedWebhook } from './injected-webhook.ts';
import { KEY_PAIR, WebhookFixture } from './webhook-fixture.ts';

const webhook = new InjectedWebhook();
beforeEach(() => webhook.reset(GRANTED));
after(() => webhook.stop());

/** Sends a valid request with these overrides. */
const inject = (options: InjectOptions = {}) =>
  webhook.app.inject({
    method: 'POST',
    url: '/validate?timeout=5s',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(review()),
    ...options,
  });

const TOO_LARGE = 'the body is larger than 4194304 bytes';

/** The number of requests counted as errors, by reason. */
async function counted(): Promise<Record<string, number>> {
  const lines = (await webhook.registry.metrics()).matchAll(/admissions_total\{answer="error",reason="(\w+)"\} (\d+)/g);
  return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]));
}

test('a review is answered with a review and one log line, and fastify logs nothing', async () => {
  const response = await inject();
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  const { apiVersion, kind } = review();
  assert.deepEqual(response.json(), { apiVersion, kind, response: { uid: 'uid-1', allowed: true } });
  assert.deepEqual(
    webhook.logs.map(({ msg }) => msg),
    ['admission'],
  );
});

describe('over HTTPS', () => {
  const served = new WebhookFixture();
  const { handle, log, metrics } = served;
  // Limits the wait for the rest of a body that is too large.
  served.server = new WebhookServer({ handle, log, metrics, transferTimeoutMs: 1_000 });
  before(async () => {
    served.server.useKeyPair(KEY_PAIR);
    served.port = await served.server.listen({ host: '127.0.0.1', port: 0 });
  });
  after(() => served.stop());

  test('a server that starts to listen logs nothing, since main does', () => assert.deepEqual(served.logs, []));

  test('a body above 4 MiB gets an answer', async () => {
    const { status, body } = await served.post(`"${'x'.repeat(BODY_LIMIT)}"`);
    assert.equal(status, 413);
    assert.deepEqual(body, { error: TOO_LARGE });
  });
});

const NOT_FOUND: readonly (readonly [what: string, options: InjectOptions])[] = [
  ['another path', { url: '/' }],
  ['the path with a slash', { url: '/validate/' }],
  ['the path in upper case', { url: '/VALIDATE' }],
  ...(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const).map(method => [method, { method }] as const),
];

describe('requests for anything else', () => {
  for (const [what, options] of NOT_FOUND) {
    test(`a request for ${what} is answered with 404, and neither logged nor counted`, async () => {
      const earlier = await counted();
      const response = await inject(options);
      assert.equal(response.statusCode, 404);
      assert.deepEqual(response.json(), { error: 'POST an AdmissionReview to /validate' });
      assert.deepEqual(webhook.logs, []);
      assert.deepEqual(await counted(), earlier);
    });
  }

  test('a HEAD request is answered with 404 and no body', async () => {
    const response = await inject({ method: 'HEAD' });
    assert.deepEqual([response.statusCode, response.body], [404, '']);
  });
});

const typed = (type: string) => ({ headers: { 'content-type': type } });
const WRONG_TYPE = 'the content type must be application/json';
const UNREADABLE = "the body cannot be read: Body is not valid JSON but content-type is set to 'application/json'";
const EMPTY = "the body cannot be read: Body cannot be empty when content-type is set to 'application/json'";

const REFUSED: readonly (readonly [
  condition: string,
  options: InjectOptions,
  expected: { readonly status: number; readonly reason: string; readonly error: string; readonly code: string },
])[] = [
  ...['application/yaml', 'text/plain', 'text/html; charset=utf-8', ';', ''].map(
    type =>
      [
        `the content type is "${type}"`,
        typed(type),
        { status: 415, reason: 'WrongContentType', error: WRONG_TYPE, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' },
      ] as const,
  ),
  [
    'the body has no content type',
    { headers: {} },
    { status: 415, reason: 'WrongContentType', error: WRONG_TYPE, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' },
  ],
  [
    'the body is above 4 MiB',
    { payload: `"${'x'.repeat(BODY_LIMIT)}"` },
    { status: 413, reason: 'TooLarge', error: TOO_LARGE, code: 'FST_ERR_CTP_BODY_TOO_LARGE' },
  ],
  [
    'the body is not JSON',
    { payload: '{' },
    { status: 400, reason: 'BadRequest', error: UNREADABLE, code: 'FST_ERR_CTP_INVALID_JSON_BODY' },
  ],
  [
    'the body is empty',
    { payload: '' },
    { status: 400, reason: 'BadRequest', error: EMPTY, code: 'FST_ERR_CTP_EMPTY_JSON_BODY' },
  ],
];

describe('invalid HTTP requests', () => {
  for (const [condition, options, { status, reason, error, code }] of REFUSED) {
    test(`a request is rejected, logged once and counted when ${condition}`, async () => {
      const earlier = await counted();
      const response = await inject(options);
      assert.equal(response.statusCode, status);
      assert.deepEqual(response.json(), { error });
      const [line, ...others] = webhook.logs as [Record<string, unknown> & { err: { code: string } }];
      assert.deepEqual(others, []);
      assert.deepEqual(Object.keys(line), ['level', 'time', 'service', 'err', 'status', 'from', 'msg']);
      const { level, msg, from, err } = line;
      assert.deepEqual(
        [level, msg, line['status'], from, err.code],
        ['warn', 'HTTP request refused', status, '127.0.0.1', code],
      );
      assert.deepEqual(await counted(), { ...earlier, [reason]: (earlier[reason] ?? 0) + 1 });
    });
  }
});

describe('the answer of the handler', () => {
  type Result = Awaited<ReturnType<AdmissionHandler>>;
  let result: unknown;
  const answering = new InjectedWebhook(async () => result as Result);
  after(() => answering.stop());

  test('any answer of the handler is serialized as by JSON.stringify', async () => {
    const text = fc.string({ unit: 'grapheme' });
    const response = fc.record({ uid: text, allowed: fc.boolean(), status: fc.jsonValue(), warnings: fc.array(text) });
    const property = fc.asyncProperty(response, text, async (given, error) => {
      const { apiVersion, kind } = review();
      for (const [status, body] of Object.entries({ 200: { apiVersion, kind, response: given }, 400: { error } })) {
        result = { status: Number(status), body };
        const sent = await answering.app.inject({ method: 'POST', url: '/validate', payload: {} });
        assert.deepEqual([sent.statusCode, sent.body], [Number(status), JSON.stringify(body)]);
      }
    });
    await fc.assert(property, { numRuns: 100, seed: 20_261_130 });
  });

  for (const field of ['uid', 'allowed']) {
    test(`an answer of the handler is not sent without ${field}`, async () => {
      const { apiVersion, kind } = review();
      const { [field]: _, ...response }: Record<string, unknown> = { uid: 'uid-1', allowed: true };
      result = { status: 200, body: { apiVersion, kind, response } };
      assert.deepEqual(await answering.post({}), { status: 500, body: { error: 'internal error' } });
    });
  }
});

test('an error of the handler is answered with 500, and only the log shows the cause', async () => {
  const broken = new InjectedWebhook(() => Promise.reject(new Error('a secret')));
  const { status, body } = await broken.post(review());
  assert.equal(status, 500);
  assert.deepEqual(body, { error: 'internal error' });
  const [{ level, err }] = broken.logs as [{ level: string; err: { message: string } }];
  assert.deepEqual([level, err.message], ['error', 'a secret']);
  assert.match(await broken.registry.metrics(), /reason="InternalError"\} 1/);
  await broken.stop();
});

test('a large body that exceeds the budget is rejected with Retry-After', async () => {
  const payloads = Array.from({ length: 4 }, () => new PassThrough());
  const headers = { 'content-type': 'application/json', 'content-length': String(BODY_LIMIT) };
  const others = payloads.map(payload => inject({ payload, headers }));
  await new Promise(setImmediate);
  const response = await inject({ payload: `"${'x'.repeat(70_000)}"` });
  assert.deepEqual([response.statusCode, response.headers['retry-after']], [429, '1']);
  assert.deepEqual(response.json(), { error: 'too many large request bodies are in flight; try again' });
  const [{ err }] = webhook.logs as [{ err: { code: string } }];
  assert.equal(err.code, 'COUNTERSIGN_TOO_MANY_BODIES');
  assert.equal((await inject()).statusCode, 200, 'a small body is admitted');
  for (const payload of payloads) payload.end('{}');
  assert.deepEqual(
    (await Promise.all(others)).map(({ statusCode }) => statusCode),
    [400, 400, 400, 400],
    'the bodies are shorter than announced',
  );
});
