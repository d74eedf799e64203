// What the webhook makes of HTTP: bodies that are no question, limits, and every JSON there is. Nothing may end the process or
// go without an answer.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { REQUEST_DURATION } from '@countersign/common/annotations.ts';
import * as fc from 'fast-check';
import { GRANTED } from './admission-world.ts';
import { csr, review, WebhookFixture } from './webhook-fixture.ts';

const webhook = new WebhookFixture();
before(() => webhook.start());
after(() => webhook.stop());

/** An AdmissionReview with one value replaced, by its path. */
function reviewWith(path: string, value: unknown, base = review()): unknown {
  const [name = '', ...rest] = path.split('.');
  const child = (base[name] ?? {}) as Record<string, unknown>;
  return { ...base, [name]: rest.length === 0 ? value : reviewWith(rest.join('.'), value, child) };
}

/** A good AdmissionReview, but for a field of `parent` that is in its `__proto__`. */
function withProto(parent: string, field: string): string {
  return JSON.stringify(review(), (key, value) => {
    if (key !== parent) return value;
    const { [field]: moved, ...rest } = value;
    return { ...rest, ['__proto__']: { [field]: moved } };
  });
}

/** Deeper than any stack. */
const NESTED = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

const UNREADABLE: readonly (readonly [name: string, body: unknown, error: string | RegExp])[] = [
  ['no JSON', '{"a":', /^the body cannot be read: /],
  ['an empty body', '', /^the body cannot be read: /],
  ['all in __proto__', `{"__proto__":${JSON.stringify(review())}}`, /^AdmissionReview.apiVersion is not/],
  ['the requester in __proto__', withProto('request', 'userInfo'), 'request.userInfo is not an object'],
  ['the object in __proto__', withProto('request', 'object'), 'request.object is not an object'],
  ['the signer name in __proto__', withProto('spec', 'signerName'), /signerName is not a string/],
  ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x7b]), /^the body cannot be read: /],
  ['deep nesting', NESTED, 'AdmissionReview is not an object'],
  ['deep nesting inside', JSON.stringify(review({ options: 0 })).replace('"options":0', `"object2":${NESTED}`), /./],
  ['null', 'null', 'AdmissionReview is not an object'],
  ['a number', '1', 'AdmissionReview is not an object'],
  ['a list', [], 'AdmissionReview is not an object'],
  ['an empty object', {}, 'AdmissionReview.apiVersion is not admission.k8s.io/v1'],
  ['another version', reviewWith('apiVersion', 'admission.k8s.io/v1beta1'), /apiVersion is not/],
  ['another kind', reviewWith('kind', 'ConversionReview'), 'AdmissionReview.kind is not AdmissionReview'],
  ['no request', reviewWith('request', null), 'request is not an object'],
  ['a list as request', reviewWith('request', []), 'request is not an object'],
  ['no uid', reviewWith('request.uid', undefined), 'request.uid is missing'],
  ['an empty uid', reviewWith('request.uid', ''), 'request.uid is missing'],
  ['a number as uid', reviewWith('request.uid', 7), 'request.uid is missing'],
  ['an object of another kind', reviewWith('request.kind.kind', 'Pod'), /^request.kind.kind is not/],
  ['an object of another group', reviewWith('request.kind.group', ''), /^request.kind.group is not/],
  ['another version of CSRs', reviewWith('request.kind.version', 'v1beta1'), /^request.kind.version is not/],
  ['an unknown operation', reviewWith('request.operation', 'PATCH'), /^request.operation is not/],
  ['no operation', reviewWith('request.operation', null), /^request.operation is not/],
  ['an operation from the prototype', reviewWith('request.operation', 'toString'), /^request.operation is not/],
  ['no requester', reviewWith('request.userInfo', null), 'request.userInfo is not an object'],
  ['groups that are no list', reviewWith('request.userInfo.groups', 'a'), 'request.userInfo.groups is not a list'],
  ['a group that is no text', reviewWith('request.userInfo.groups', [1]), 'request.userInfo.groups[0] is not a string'],
  ['extra that is a list', reviewWith('request.userInfo.extra', []), 'request.userInfo.extra is not an object'],
  ['extra of texts', reviewWith('request.userInfo.extra', { a: 'b' }), 'request.userInfo.extra[a] is not a list'],
  ['no object on CREATE', reviewWith('request.object', null), 'request.object is not an object'],
  ['a list as object', reviewWith('request.object', [csr()]), 'request.object is not an object'],
  ['no spec', reviewWith('request.object.spec', null), 'request.object.spec is not an object'],
  ['a list as spec', reviewWith('request.object.spec', []), 'request.object.spec is not an object'],
  ['a number as signer name', reviewWith('request.object.spec.signerName', 1), /signerName is not a string/],
  ['a list as signer name', reviewWith('request.object.spec.signerName', ['a/b']), /signerName is not a string/],
  ['a number as request', reviewWith('request.object.spec.request', 1), /spec.request is not a string/],
  ['usages that are no list', reviewWith('request.object.spec.usages', {}), /spec.usages is not a list/],
  ['half a second', reviewWith('request.object.spec.expirationSeconds', 600.5), /expirationSeconds is not an integer/],
  [
    'annotations that are a list',
    reviewWith('request.object.metadata.annotations', []),
    /annotations is not an object/,
  ],
  [
    'an annotation that is no text',
    reviewWith('request.object.metadata.annotations', { [REQUEST_DURATION]: 1 }),
    /request-duration\] is not a string/,
  ],
  ['no old object on UPDATE', reviewWith('request.operation', 'UPDATE'), 'request.oldObject is not an object'],
];

describe('a body is answered with 400 when it holds', () => {
  for (const [name, body, error] of UNREADABLE) {
    test(name, async () => {
      webhook.enter(GRANTED);
      const answer = await webhook.post(body);
      if (name === 'deep nesting inside') return assert.equal(answer.status, 200);
      assert.equal(answer.status, 400);
      if (typeof error === 'string') assert.equal(answer.body.error, error);
      else assert.match(answer.body.error, error);
      assert.deepEqual(webhook.client.calls, []);
    });
  }
});

test('a request that cannot be read but has a uid is refused with its uid', async () => {
  const { body } = await webhook.post(reviewWith('request.object', null));
  assert.equal(body.uid, 'uid-1');
});

for (const name of ['__proto__', 'constructor', 'toString']) {
  test(`an extra of the requester that is called ${name} is asked about as it is`, async () => {
    webhook.enter(GRANTED);
    const extra = { [name]: ['x'], scope: ['a'] };
    const { body } = await webhook.post(review({ userInfo: { username: 'jane', extra } }));
    assert.equal(body.response.allowed, true);
    const asked = webhook.client.calls[0]?.body as { spec: { extra: object } } | undefined;
    assert.equal(JSON.stringify(asked?.spec.extra), JSON.stringify(extra));
    assert.equal(Object.getPrototypeOf(asked?.spec.extra), Object.prototype);
  });
}

test('a body with __proto__ and constructor in every object is answered as the same body without them', async () => {
  const poison = '{"__proto__":{"polluted":"x"},"constructor":{"prototype":{"polluted":"x"}},"';
  const clean = JSON.stringify(review({ userInfo: { username: 'jane' } }));
  const ask = async (text: string) => {
    webhook.enter(GRANTED);
    const { body } = await webhook.post(text);
    return { body, calls: structuredClone(webhook.client.calls) };
  };
  const answer = await ask(clean);
  assert.equal(answer.body.response.allowed, true);
  assert.deepEqual(await ask(clean.replaceAll('{"', poison)), answer);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('null counts as absent, as in Go', async () => {
  webhook.enter(GRANTED);
  const { metadata, spec } = csr() as { metadata: object; spec: object };
  const nulls = {
    metadata: { ...metadata, annotations: null },
    spec: { ...spec, expirationSeconds: null },
    status: null,
  };
  const { body } = await webhook.post(review({ object: nulls, subResource: null, dryRun: null }));
  assert.equal(body.response.allowed, true);
});

describe('HTTP', () => {
  const rejected: readonly (readonly [string, number, () => Promise<{ status: number; body: { error: string } }>])[] = [
    ['another content type is 415', 415, () => webhook.post('a: b', { 'content-type': 'application/yaml' })],
    ['plain text is 415', 415, () => webhook.post('{}', { 'content-type': 'text/plain' })],
    ['a body without content type is 415', 415, () => webhook.post('{}', { 'content-type': '' })],
    ['a body above 4 MiB is 413', 413, () => webhook.post(`"${'x'.repeat(4 * 1024 * 1024)}"`)],
    ['another path is 404', 404, () => webhook.post('{}', {}, '/')],
  ];
  for (const [name, status, send] of rejected) {
    test(name, async () => {
      const answer = await send();
      assert.equal(answer.status, status);
      assert.equal(typeof answer.body.error, 'string');
    });
  }

  test('a content type with a charset is fine', async () => {
    webhook.enter(GRANTED);
    const { status } = await webhook.post(review(), { 'content-type': 'application/json; charset=utf-8' });
    assert.equal(status, 200);
  });

  test('a large object within the limit is judged', async () => {
    webhook.enter(GRANTED);
    const { status, body } = await webhook.post(review({ object: csr({ request: 'x'.repeat(900_000) }) }));
    assert.equal(status, 200);
    assert.equal(body.response.status?.reason, 'SigningError');
  });

  describe('the largest CSR that can be signed is judged, created or changed, when its annotations are', () => {
    // 256 KiB of keys of three letters, and once more in managedFields; or of what Go escapes.
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
    for (const [name, metadata] of [
      ['many and short', many],
      ['escaped by Go', escaped],
    ] as const) {
      test(name, async () => {
        webhook.enter(GRANTED);
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

  test('what was wrong is counted', async () => {
    const text = await webhook.registry.metrics();
    for (const reason of ['BadRequest', 'TooLarge', 'WrongContentType']) {
      assert.match(text, new RegExp(`admissions_total\\{answer="error",reason="${reason}"\\} [1-9]`));
    }
  });
});

describe('whatever comes', () => {
  const run = { numRuns: 60, seed: 20_261_124 };

  async function isAnswered(body: unknown): Promise<void> {
    const { status, body: answer } = await webhook.post(JSON.stringify(body) ?? 'null');
    assert.ok(status === 200 || status === 400, `status ${status}`);
    if (status === 200) assert.equal(answer.response.uid, 'uid-1');
    if (status === 200 && !answer.response.allowed) assert.notEqual(answer.response.status?.reason, 'InternalError');
  }

  test('any JSON gets an answer', async () => {
    webhook.enter(GRANTED);
    await fc.assert(fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), isAnswered), run);
  });

  test('an AdmissionReview with anything in any place gets an answer', async () => {
    webhook.enter(GRANTED);
    const path = fc.constantFrom(
      ...['apiVersion', 'request', 'request.uid', 'request.kind', 'request.operation', 'request.userInfo'],
      ...['request.userInfo.extra', 'request.userInfo.username', 'request.object', 'request.object.metadata'],
      ...['request.object.metadata.annotations', 'request.object.spec', 'request.object.spec.signerName'],
      ...['request.object.spec.request', 'request.object.spec.usages', 'request.object.spec.expirationSeconds'],
      ...['request.object.status', 'request.oldObject', 'request.subResource', 'request.dryRun'],
    );
    const property = fc.asyncProperty(path, fc.jsonValue({ maxDepth: 3 }), (where, value) =>
      isAnswered(where === 'request.uid' ? review() : reviewWith(where, value)),
    );
    await fc.assert(property, run);
  });

  test('any annotations, usages and signer names get an answer that is not our own fault', async () => {
    webhook.enter(GRANTED);
    const prefix = 'experimental.cert-manager.io/';
    const key = fc.constantFrom(
      `${prefix}request-duration`,
      `${prefix}request-is-ca`,
      `${prefix}private-key-secret-name`,
    );
    // Not fc.string({ unit: 'binary' }), which takes two seconds of CPU to prepare (measured).
    const text = fc.array(fc.integer({ min: 0, max: 0x10ffff })).map(points => String.fromCodePoint(...points));
    const parts = fc.record({
      annotations: fc.dictionary(key, text),
      usages: fc.array(fc.string()),
      signerName: fc.oneof(
        fc.string().map(name => `issuers.cert-manager.io/${name}`),
        fc.constantFrom('clusterissuers.cert-manager.io/self', 'issuers.cert-manager.io/sandbox.self'),
        fc.string(),
      ),
      expirationSeconds: fc.maxSafeInteger(),
      request: fc.oneof(fc.constant(undefined), fc.base64String()),
    });
    const property = fc.asyncProperty(parts, ({ request, ...rest }) =>
      isAnswered(review({ object: csr({ ...rest, ...(request !== undefined && { request }) }) })),
    );
    await fc.assert(property, run);
  });
});
