// How the kube client classifies unsuccessful responses of the API server: each status, with its message.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { type FakeApiServer, failureOf, sendJson, sendStatus, startFakeApiServer } from './fake-api-server.ts';

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

describe('unsuccessful responses', () => {
  const cases = [
    { status: 400, reason: 'BadRequest', code: 'bad-request', terminal: true },
    { status: 401, reason: 'Unauthorized', code: 'unauthorized', terminal: false },
    { status: 403, reason: 'Forbidden', code: 'forbidden', terminal: false },
    { status: 404, reason: 'NotFound', code: 'not-found', terminal: true },
    { status: 405, reason: 'MethodNotAllowed', code: 'bad-request', terminal: true },
    { status: 409, reason: 'Conflict', code: 'conflict', terminal: false },
    { status: 409, reason: 'AlreadyExists', code: 'already-exists', terminal: true },
    { status: 410, reason: 'Expired', code: 'gone', terminal: false },
    { status: 413, reason: 'RequestEntityTooLarge', code: 'too-large', terminal: true },
    { status: 429, reason: 'TooManyRequests', code: 'throttled', terminal: false },
    { status: 500, reason: 'InternalError', code: 'server', terminal: false },
    { status: 503, reason: 'ServiceUnavailable', code: 'server', terminal: false },
    { status: 302, reason: 'Elsewhere', code: 'unknown', terminal: false },
  ];
  for (const { status, reason, code, terminal } of cases) {
    test(`${status} ${reason} is ${terminal ? 'terminal' : 'retryable'} ${code} and keeps the server's message`, async () => {
      server.handle((_, response) => sendStatus(response, status, reason));
      const error = await failureOf(client.create('/apis/x/v1/things?dryRun=All', {}));
      assert.equal(error instanceof TerminalError, terminal);
      assert.equal(error.code, code);
      assert.ok(
        error.message.startsWith(`POST /apis/x/v1/things: ${status} ${reason}: told to answer ${status}`),
        error.message,
      );
    });
  }

  const FIELD = [{ reason: 'FieldValueInvalid', field: 'status.x' }];
  for (const { what, causes, code, said = 'told so' } of [
    { what: 'for a field is terminal', causes: FIELD, code: 'invalid' },
    { what: 'of a policy is as retryable as a missing permission', causes: [{ message: 'no' }], code: 'forbidden' },
    {
      what: 'of an admission webhook is as retryable, even if it names a field',
      causes: FIELD,
      code: 'forbidden',
      said: 'admission webhook "x.example.com" denied the request: no',
    },
    {
      what: 'for a signer name that may not be signed for is as retryable',
      causes: [{ reason: 'FieldValueForbidden', field: 'spec.signerName', message: 'not permitted to "sign"' }],
      code: 'forbidden',
    },
    { what: 'without a cause is as retryable', causes: undefined, code: 'forbidden' },
  ]) {
    test(`a 422 ${what}`, async () => {
      const status = { kind: 'Status', reason: 'Invalid', message: said, code: 422, details: { causes } };
      server.handle((_, response) => sendJson(response, 422, status));
      const error = await failureOf(client.update('/x', {}));
      assert.deepEqual([error.code, error.message], [code, `PUT /x: 422 Invalid: ${said}`]);
    });
  }

  test('a 404 that is not from the API server is not a missing object', async () => {
    server.handle((_, response) => response.writeHead(404).end('<html>default backend</html>'));
    const error = await failureOf(client.get('/x'));
    assert.deepEqual([error instanceof RetryableError, error.code], [true, 'server']);
    assert.match(
      error.message,
      /default backend.* \(check that the CRD is installed and that this is the API server\)$/,
    );
  });

  test('a response that is too large is aborted with its own error', async () => {
    server.handle((_, response) => response.end(Buffer.alloc(17 * 1024 * 1024, ' ')));
    const error = await failureOf(client.get('/x'));
    assert.deepEqual([error instanceof TerminalError, error.code], [true, 'too-large']);
    assert.equal(error.message, 'GET /x: the response is larger than 16777216 bytes');
    server.handle((_, response) => sendJson(response, 200, { still: 'there' }));
    assert.deepEqual(await client.get('/x'), { still: 'there' });
  });

  test('a missing object reads as undefined', async () => {
    server.handle((_, response) => sendStatus(response, 404, 'NotFound'));
    assert.equal(await client.get('/x'), undefined);
  });

  const waits: { name: string; headers: Record<string, string>; expected: number | undefined }[] = [
    { name: 'in seconds', headers: { 'retry-after': '7' }, expected: 7000 },
    { name: 'absurdly long', headers: { 'retry-after': '9999999' }, expected: 600_000 },
    { name: 'as a date', headers: { 'retry-after': 'Fri, 07 Nov 2036 23:59:59 GMT' }, expected: undefined },
    { name: 'absent', headers: {}, expected: undefined },
  ];
  for (const { name, headers, expected } of waits) {
    test(`a Retry-After ${name} gives a delay of ${expected} ms`, async () => {
      server.handle((_, response) => sendStatus(response, 429, 'TooManyRequests', headers));
      const error = await failureOf(client.get('/x'));
      assert.ok(error instanceof RetryableError);
      assert.equal(error.retryAfterMs, expected);
    });
  }

  test("a proxy's error page is quoted in part", async () => {
    server.handle((_, response) => response.writeHead(502).end(`<html>bad gateway${'x'.repeat(5000)}`));
    const error = await failureOf(client.get('/x'));
    assert.equal(error.code, 'server');
    assert.match(error.message, /^GET \/x: 502: <html>bad gateway/);
    assert.ok(error.message.length < 300);
  });
});
