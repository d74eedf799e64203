// What a failure of the API server is called, where there was no answer or one with a time to wait: by the error alone, without a
// server. What each status is called stands in test/component/runtime/kube-answers.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  errorFromResponse,
  errorFromTransport,
  errorFromWatchEvent,
  isUntrusted,
} from '@countersign/common/runtime/kube/kube-errors.ts';

const CALL = { method: 'GET', path: '/x?watch=true' };
const failure = (code: string, message = 'told so') => Object.assign(new Error(message), { code });

const TRANSPORT: readonly (readonly [what: string, cause: unknown, code: string, text: RegExp])[] = [
  [
    'a refused connection',
    failure('ECONNREFUSED'),
    'network',
    /^GET \/x: connection failed: told so \(check the server/,
  ],
  ['a refused connection that says nothing', failure('ECONNREFUSED', ''), 'network', /failed: ECONNREFUSED \(check/],
  ['a server without an address', failure('ENOTFOUND'), 'network', /told so \(check the server address/],
  ['a connection that breaks', failure('ECONNRESET'), 'network', /^GET \/x: connection failed: told so$/],
  ['a certificate that is not trusted', failure('CERT_HAS_EXPIRED'), 'network', /told so \(check the CA/],
  ['what is no error', 'text', 'network', /^GET \/x: connection failed: text$/],
  ['no answer to a connect', failure('ETIMEDOUT'), 'timeout', /^GET \/x: timed out: told so$/],
  ['no answer within the time of the client', failure('UND_ERR_HEADERS_TIMEOUT'), 'timeout', /timed out: told so$/],
  ['a signal of time', new DOMException('told so', 'TimeoutError'), 'timeout', /timed out: told so$/],
  ['a signal of the end', new DOMException('told so', 'AbortError'), 'network', /connection failed: told so$/],
];

describe('without an answer', () => {
  for (const [what, cause, code, text] of TRANSPORT) {
    it(`${what} is ${code}`, () => {
      const error = errorFromTransport(CALL, cause);
      assert.equal(error.code, code);
      assert.match(error.message, text);
    });
  }

  for (const code of [
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_TLS_X',
  ]) {
    it(`${code} tells of a server that is not trusted`, () => assert.ok(isUntrusted(failure(code))));
  }
});

const waitOf = (header?: string, details?: object, code = 429) => {
  const error = errorFromResponse(CALL, code, JSON.stringify({ details }), header);
  return 'retryAfterMs' in error ? error.retryAfterMs : undefined;
};

describe('the time to wait', () => {
  for (const [what, header, details, expected] of [
    ['is that of the header', '7', { retryAfterSeconds: 3 }, 7_000],
    ['is that of the Status without a header', undefined, { retryAfterSeconds: 3 }, 3_000],
    ['may be none', '0', undefined, 0],
    ['is ten minutes at most', '86400', undefined, 600_000],
    ['is not known where nobody says it', undefined, undefined, undefined],
    ['is not known where it is a date', 'Fri, 27 Nov 2026 12:00:00 GMT', undefined, undefined],
    ['is not known where it is less than none', '-1', undefined, undefined],
    ['is not known where it is without end', 'Infinity', undefined, undefined],
  ] as const) {
    it(what, () => assert.equal(waitOf(header, details), expected));
  }
});

it('a proxy that gave up is as good as no answer in time', () => {
  assert.equal(errorFromResponse(CALL, 408, 'null').code, 'timeout');
});

describe('an ERROR of a watch', () => {
  for (const [what, object, code] of [
    ['is called by its code', { code: 410, reason: 'Expired' }, 'gone'],
    ['is the fault of the server without one', {}, 'server'],
    ['is the fault of the server without a Status', null, 'server'],
    ['is the fault of the server with a text for a Status', 'text', 'server'],
  ] as const) {
    it(what, () => assert.equal(errorFromWatchEvent(CALL, object).code, code));
  }
});
