// How the webhook handles bodies: invalid ones, large ones, and arbitrary JSON. Each must get an answer, and none may
// crash the process.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import * as fc from 'fast-check';
import { csr, review, reviewWith } from '../../support/admission-reviews.ts';
import { GRANTED } from './admission-cluster.ts';
import { InjectedWebhook } from './injected-webhook.ts';

const webhook = new InjectedWebhook();
after(() => webhook.stop());

/** Deeper than the call stack allows. */
const NESTED = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

/** More invalid AdmissionReviews: test/unit/webhook/admission-review.test.ts. */
const UNREADABLE: readonly (readonly [what: string, body: unknown, error: string | RegExp])[] = [
  ['invalid JSON', '{"a":', /^the body cannot be read: /],
  ['nothing', '', /^the body cannot be read: /],
  ['everything in __proto__', `{"__proto__":${JSON.stringify(review())}}`, /^AdmissionReview.apiVersion is not/],
  ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0x7b]), /^the body cannot be read: /],
  ['deep nesting', NESTED, 'AdmissionReview is not an object'],
  [
    'deep nesting in an unused field',
    JSON.stringify(review({ options: 0 })).replace('"options":0', `"object2":${NESTED}`),
    /./,
  ],
  ['null', 'null', 'AdmissionReview is not an object'],
  ['an object of another kind', reviewWith('request.kind.kind', 'Pod'), /^request.kind.kind is not/],
];

describe('invalid bodies', () => {
  for (const [what, body, error] of UNREADABLE) {
    const status = what === 'deep nesting in an unused field' ? 200 : 400;
    test(`a body with ${what} is answered with ${status}`, async () => {
      webhook.reset(GRANTED);
      const answer = await webhook.post(body);
      if (status === 200) return assert.equal(answer.status, 200);
      assert.equal(answer.status, 400);
      if (typeof error === 'string') assert.equal(answer.body.error, error);
      else assert.match(answer.body.error, error);
      assert.deepEqual(webhook.client.calls, []);
    });
  }
});

test('a request that cannot be decoded but has a uid is rejected with its uid', async () => {
  const { body } = await webhook.post(reviewWith('request.object', null));
  assert.equal(body.uid, 'uid-1');
});

test('a body with __proto__ and constructor in every object gets the same answer as without them', async () => {
  const poison = '{"__proto__":{"polluted":"x"},"constructor":{"prototype":{"polluted":"x"}},"';
  const clean = JSON.stringify(review({ userInfo: { username: 'jane' } }));
  const ask = async (text: string) => {
    webhook.reset(GRANTED);
    const { body } = await webhook.post(text);
    return { body, calls: structuredClone(webhook.client.calls) };
  };
  const answer = await ask(clean);
  assert.equal(answer.body.response.allowed, true);
  assert.deepEqual(await ask(clean.replaceAll('{"', poison)), answer);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

describe('valid bodies', () => {
  test('a body may have a content type with a charset', async () => {
    webhook.reset(GRANTED);
    const { status } = await webhook.post(review(), { 'content-type': 'application/json; charset=utf-8' });
    assert.equal(status, 200);
  });

  test('a large body within the limit is validated', async () => {
    webhook.reset(GRANTED);
    const { status, body } = await webhook.post(review({ object: csr({ request: 'x'.repeat(900_000) }) }));
    assert.equal(status, 200);
    assert.equal(body.response.status?.reason, 'SigningError');
  });

  describe('the largest CSR', () => {
    // 256 KiB of keys of three letters, repeated in managedFields, or of characters that Go escapes.
    const short = Array.from({ length: 87_000 }, (_, index) => index.toString(36).padStart(3, '-'));
    const managedFields = [{ fieldsV1: Object.fromEntries(short.map(key => [`f:${key}`, {}])) }];
    const many = { annotations: Object.fromEntries(short.map(key => [key, ''])), managedFields };
    const escaped = { annotations: { note: '<'.repeat(262_000) } };
    const large = (metadata: { readonly annotations: Readonly<Record<string, string>> }, annotations = {}) => {
      const { metadata: rest, ...others } = csr({ request: 'x'.repeat(48_668) });
      return {
        ...others,
        metadata: { ...Object(rest), ...metadata, annotations: { ...metadata.annotations, ...annotations } },
      };
    };
    for (const [what, metadata] of [
      ['many short annotations', many],
      ['annotations that Go escapes', escaped],
    ] as const) {
      test(`the largest CSR that can be signed, with ${what}, is validated on CREATE and UPDATE`, async () => {
        webhook.reset(GRANTED);
        const post = (parts: object) =>
          webhook.post(JSON.stringify(review({ ...parts })).replaceAll('<', String.raw`\u003c`));
        const created = await post({ object: large(metadata) });
        assert.equal(created.body.response.status?.reason, 'SigningError');
        const object = large(metadata, { [REQUEST_DURATION]: '1h' });
        const changed = await post({ operation: 'UPDATE', object, oldObject: large(metadata) });
        assert.equal(changed.body.response.status?.reason, 'ImmutableAnnotation');
      });
    }
  });
});

describe('arbitrary bodies', () => {
  const run = { numRuns: 60, seed: 20_261_124 };

  async function isAnswered(body: unknown): Promise<void> {
    const { status, body: answer } = await webhook.post(JSON.stringify(body) ?? 'null');
    assert.ok(status === 200 || status === 400, `status ${status}`);
    if (status === 200) assert.equal(answer.response.uid, 'uid-1');
    if (status === 200 && !answer.response.allowed) assert.notEqual(answer.response.status?.reason, 'InternalError');
  }

  test('any JSON gets an answer', async () => {
    webhook.reset(GRANTED);
    await fc.assert(fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), isAnswered), run);
  });
});
