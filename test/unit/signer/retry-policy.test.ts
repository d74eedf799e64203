import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { RetryableError, type RetryableErrorOptions, TerminalError } from '@countersign/common/runtime/errors.ts';

const retryable = (options: RetryableErrorOptions) => new RetryableError('x', options);

/** The error, the next attempt, and the allowed range of its delay in milliseconds. */
const ROWS: readonly (readonly [string, unknown, number, number, number])[] = [
  ['a server error', retryable({ code: 'server' }), 1, 125, 250],
  ['a server error for the third time', retryable({ code: 'server' }), 3, 500, 1_000],
  ...(['network', 'timeout', 'server'] as const).map(
    code => [`${code} after a long outage`, retryable({ code }), 5_000, 30_000, 60_000] as const,
  ),
  ['a conflict', retryable({ code: 'conflict' }), 1, 5, 10],
  ['a persistent conflict', retryable({ code: 'conflict' }), 40, 150_000, 300_000],
  ['missing rights', retryable({ code: 'forbidden' }), 1, 500, 1_000],
  ['missing rights for a long time', retryable({ code: 'forbidden' }), 20, 150_000, 300_000],
  ['an unclassified error', new Error('bug'), 1, 125, 250],
  ['a thrown string', 'text', 1, 125, 250],
  ['a Retry-After', retryable({ code: 'throttled', retryAfterMs: 7_000 }), 1, 7_000, 8_750],
  ['a bad request', new TerminalError('x', { code: 'bad-request' }), 1, 500, 1_000],
  ['a request that is too large', new TerminalError('x', { code: 'too-large' }), 20, 150_000, 300_000],
  [
    'a Retry-After that is shorter than the backoff',
    retryable({ code: 'throttled', retryAfterMs: 1_000 }),
    6,
    4_000,
    8_000,
  ],
  ['a Retry-After of 0', retryable({ code: 'throttled', retryAfterMs: 0 }), 1, 125, 250],
];
for (const [what, error, attempt, least, most] of ROWS) {
  test(`${what} is retried after ${least} to ${most} ms`, () => {
    for (let i = 0; i < 50; i += 1) {
      const delay = retryDelay(error, attempt) ?? Number.NaN;
      assert.ok(delay >= least && delay <= most, `${delay}`);
    }
  });
}

for (const code of ['invalid', 'not-found', 'already-exists'] as const) {
  test(`${code} is not retried until the object changes`, () =>
    assert.equal(retryDelay(new TerminalError('x', { code }), 1), undefined));
}

test('keys that failed together are not retried together', () => {
  for (const options of [{ code: 'server' }, { code: 'throttled', retryAfterMs: 30_000 }] as const) {
    const delays = new Set(Array.from({ length: 50 }, () => retryDelay(retryable(options), 5)));
    assert.ok(delays.size > 10);
  }
});
