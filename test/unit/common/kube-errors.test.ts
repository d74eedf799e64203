// Classification of API server failures without a response, and of Retry-After: from the error alone, without a server.
// test/component/runtime/kube-answers.test.ts has the classification of each status.

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
  ['a refused connection without a message', failure('ECONNREFUSED', ''), 'network', /failed: ECONNREFUSED \(check/],
  ['a server without an address', failure('ENOTFOUND'), 'network', /told so \(check the server address/],
  ['a connection that breaks', failure('ECONNRESET'), 'network', /^GET \/x: connection failed: told so$/],
  ['a certificate that is not trusted', failure('CERT_HAS_EXPIRED'), 'network', /told so \(check the CA/],
  ['a thrown value that is not an error', 'text', 'network', /^GET \/x: connection failed: text$/],
  ['a connection timeout', failure('ETIMEDOUT'), 'timeout', /^GET \/x: timed out: told so$/],
  ['a request timeout', failure('UND_ERR_HEADERS_TIMEOUT'), 'timeout', /timed out: told so$/],
  ['a timeout signal', new DOMException('told so', 'TimeoutError'), 'timeout', /timed out: told so$/],
  ['an abort signal', new DOMException('told so', 'AbortError'), 'network', /connection failed: told so$/],
];

describe('a failure without a response', () => {
  for (const [what, cause, code, text] of TRANSPORT) {
    it(`${what} is classified as ${code}`, () => {
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
    it(`the error ${code} means that the server is not trusted`, () => assert.ok(isUntrusted(failure(code))));
  }
});

const waitOf = (header?: string, details?: object, code = 429) => {
  const error = errorFromResponse(CALL, code, JSON.stringify({ details }), header);
  return 'retryAfterMs' in error ? error.retryAfterMs : undefined;
};

describe('the retry delay', () => {
  for (const [what, header, details, expected] of [
    ['is taken from the header', '7', { retryAfterSeconds: 3 }, 7_000],
    ['is taken from the Status without a header', undefined, { retryAfterSeconds: 3 }, 3_000],
    ['may be 0', '0', undefined, 0],
    ['is at most ten minutes', '86400', undefined, 600_000],
    ['is undefined if the server sends none', undefined, undefined, undefined],
    ['is undefined for a date', 'Fri, 27 Nov 2026 12:00:00 GMT', undefined, undefined],
    ['is undefined if it is negative', '-1', undefined, undefined],
    ['is undefined if it is infinite', 'Infinity', undefined, undefined],
  ] as const) {
    it(`the retry delay ${what}`, () => assert.equal(waitOf(header, details), expected));
  }
});

it('a 408 from a proxy is a timeout', () => {
  assert.equal(errorFromResponse(CALL, 408, 'null').code, 'timeout');
});

describe('an ERROR event of a watch', () => {
  for (const [what, object, code] of [
    ['is classified by its code', { code: 410, reason: 'Expired' }, 'gone'],
    ['is a server error without a code', {}, 'server'],
    ['is a server error without a Status', null, 'server'],
    ['is a server error with a text instead of a Status', 'text', 'server'],
  ] as const) {
    it(`an ERROR event of a watch ${what}`, () => assert.equal(errorFromWatchEvent(CALL, object).code, code));
  }
});
