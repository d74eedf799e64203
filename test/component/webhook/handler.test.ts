// The admission handler, called with a body: its calls to the API server, and what it must not reveal.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import * as fc from 'fast-check';
import { assertAnswer, type ReviewAnswer } from '../../support/admission-answers.ts';
import { csr, ISSUERS, JANE, review, reviewOf, reviewWith, SELF } from '../../support/admission-reviews.ts';
import { api, type Case, describeCall, failing, GRANTED, network } from './admission-cluster.ts';
import { CLUSTER_REVIEW_CASES, CONSTRAINT_CASES, REVIEW_CASES, SECRET_CASES } from './observation-cases.ts';
import { type ClusterState, makeKeyPair, WebhookFixture } from './webhook-fixture.ts';

const webhook = new WebhookFixture();

/** The answer after a JSON round trip. */
async function ask(body: unknown, cluster: ClusterState = GRANTED): Promise<ReviewAnswer> {
  webhook.reset(cluster);
  const answer = await webhook.handle(body);
  assert.equal(answer.status, 200);
  return JSON.parse(JSON.stringify(answer.body));
}

async function check(item: Case): Promise<void> {
  assertAnswer(await ask(reviewOf(item), item.cluster), item);
  assert.deepEqual(webhook.client.calls.map(describeCall), item.calls);
  assert.equal(webhook.logs.filter(({ msg }) => msg === 'admission').length, 1);
}

describe('access reviews', () => {
  for (const item of REVIEW_CASES) test(item.name, () => check(item));
});

describe('access reviews for ClusterIssuers', () => {
  for (const item of CLUSTER_REVIEW_CASES) test(item.name, () => check(item));
});

describe('reading the Secret that the issuer signs with', () => {
  for (const item of SECRET_CASES) test(item.name, () => check(item));
});

describe('name constraints of the CA', () => {
  for (const item of CONSTRAINT_CASES) test(item.name, () => check(item));
});

describe('the expiry of the CA', () => {
  const inDays = (days: number): ClusterState => ({ ...GRANTED, now: new Date(Date.now() + days * 24 * 3_600_000) });

  test('a CA that expires before the certificate gets a warning with both dates', async () => {
    const { warnings } = (await ask(review(), inDays(300))).response;
    assert.equal(warnings?.length, 1);
    const date = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
    const text = `the CA certificate in Secret sandbox/ca-pair expires at ${date}, before the requested expiry`;
    assert.match(warnings?.[0] ?? '', new RegExp(String.raw`^${text} \(${date}\)$`));
  });

  test('an expired CA gets a warning', async () => {
    const { warnings } = (await ask(review(), inDays(400))).response;
    assert.match(warnings?.[0] ?? '', /^the CA certificate in Secret sandbox\/ca-pair expired at /);
  });
});

test('the access review is about the requester in userInfo, not the one in the object', async () => {
  await ask(review());
  const body = webhook.client.calls[0]?.body as { spec: Record<string, unknown> } | undefined;
  const { user, uid, groups, extra } = body?.spec ?? {};
  assert.deepEqual({ user, uid, groups, extra }, { user: 'jane', uid: 'u1', groups: JANE.groups, extra: JANE.extra });
});

for (const name of ['__proto__', 'constructor', 'toString']) {
  test(`an extra of the requester with the key ${name} is part of the access review`, async () => {
    const extra = { [name]: ['x'], scope: ['a'] };
    const { response } = await ask(review({ userInfo: { username: 'jane', extra } }));
    assert.equal(response.allowed, true);
    const asked = webhook.client.calls[0]?.body as { spec: { extra: object } } | undefined;
    assert.equal(JSON.stringify(asked?.spec.extra), JSON.stringify(extra));
    assert.equal(Object.getPrototypeOf(asked?.spec.extra), Object.prototype);
  });
}

describe('pasted secrets', () => {
  const { cert, key } = makeKeyPair('pasted', 1);
  for (const [what, pasted] of [
    ['a private key', key],
    ['a certificate', cert],
  ] as const) {
    for (const annotation of [REQUEST_DURATION, REQUEST_IS_CA, PRIVATE_KEY_SECRET_NAME]) {
      test(`${what} that was pasted into ${annotation} appears neither in the answer nor in the log`, async () => {
        const [, firstLine = ''] = pasted.split('\n');
        const sentinel = firstLine.slice(0, 20);
        const body = await ask(review({ object: csr({ signerName: SELF, annotations: { [annotation]: pasted } }) }));
        assert.ok(!JSON.stringify(body).includes(sentinel), JSON.stringify(body));
        assert.ok(!JSON.stringify(webhook.logs).includes(sentinel), JSON.stringify(webhook.logs));
      });
    }
  }
});

test('the cause of an internal error appears only in the log', async () => {
  const body = await ask(review(), failing(network));
  assert.doesNotMatch(JSON.stringify(body), /ECONNREFUSED/);
  const [line] = webhook.logs;
  assert.equal(line?.['level'], 'error');
  assert.match(JSON.stringify(line?.['err']), /ECONNREFUSED/);
});

test('one log line records the requester, the request and the answer', async () => {
  await ask(review(), { issuers: ISSUERS, answer: api([]) });
  const [line] = webhook.logs;
  const { level, uid, csr: name, signerName, user, answer, reason, operation, ms } = line ?? {};
  assert.deepEqual(
    [level, uid, name, signerName, user, answer, reason, operation, typeof ms],
    [
      'info',
      'uid-1',
      'my-request',
      'issuers.cert-manager.io/sandbox.ca',
      'jane',
      'denied',
      'DeniedReference',
      'CREATE',
      'number',
    ],
  );
});

test('a body that cannot be decoded is answered with the error and its uid, logged and counted', async () => {
  webhook.reset(GRANTED);
  const answer = await webhook.handle(reviewWith('request.object', null));
  const error = 'request.object is not an object';
  assert.deepEqual(answer, { status: 400, body: { error, uid: 'uid-1' } });
  assert.deepEqual(webhook.client.calls, []);
  const { msg, uid, problem } = webhook.logs[0] ?? {};
  assert.deepEqual([msg, uid, problem], ['cannot decode admission request', 'uid-1', error]);
  assert.match(await webhook.registry.metrics(), /admissions_total\{answer="error",reason="BadRequest"\} 1\n/);
});

describe('arbitrary input', () => {
  const run = { numRuns: 60, seed: 20_261_124 };

  async function isAnswered(body: unknown): Promise<void> {
    webhook.reset(GRANTED);
    const { status, body: answer } = await webhook.handle(JSON.parse(JSON.stringify(body)));
    assert.ok(status === 200 || status === 400, `status ${status}`);
    if (status === 400) return;
    const { response } = answer as ReviewAnswer;
    assert.equal(response.uid, 'uid-1');
    if (!response.allowed) assert.notEqual(response.status?.reason, 'InternalError');
  }

  test('the handler answers an AdmissionReview with any value in any field without an internal error', async () => {
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

  test('the handler answers any annotations, usages and signer names without an internal error', async () => {
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
