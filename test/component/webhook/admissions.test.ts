// What the webhook answers, over HTTPS: the cases of this folder, and what belongs to an answer besides.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PRIVATE_KEY_SECRET_NAME, REQUEST_DURATION, REQUEST_IS_CA } from '@countersign/common/annotations.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { readValidationCases } from '../../support/vectors.ts';
import { api, type Case, failing, GRANTED, ISSUERS, network, SELF } from './admission-world.ts';
import { CONSTRAINT_CASES } from './constraint-cases.ts';
import { CREATE_CASES } from './create-cases.ts';
import { POLICY_CASES } from './policy-cases.ts';
import { UPDATE_CASES } from './update-cases.ts';
import { SOFT_CASES, WARNED_OF } from './warning-cases.ts';
import { csr, JANE, makeKeyPair, review, type Status, WebhookFixture, type World } from './webhook-fixture.ts';

const webhook = new WebhookFixture();
before(() => webhook.start());
after(() => webhook.stop());

async function check(item: Case): Promise<void> {
  webhook.enter(item.world ?? GRANTED);
  const { status, body } = await webhook.post(review({ ...requestOf(item), ...item.request }));
  assert.equal(status, 200);
  assert.equal(body.response.uid, 'uid-1');
  assert.equal(body.response.allowed, item.allowed === true);
  assert.deepEqual([body.apiVersion, body.kind], ['admission.k8s.io/v1', 'AdmissionReview']);
  if (item.allowed === true) assert.equal(body.response.status, undefined);
  else checkStatus(body.response.status, item.allowed, item.causes ?? []);
  if (item.calls) assert.deepEqual(webhook.client.calls.map(describeCall), item.calls);
  assert.deepEqual(body.response.warnings ?? [], item.warnings ?? []);
  assert.equal(webhook.logs.filter(({ msg }) => msg === 'admission').length, 1);
}

function requestOf({ create, update }: Case): Record<string, unknown> {
  if (update === undefined) return { object: csr(create) };
  const { before: old, after: now, subResource } = update;
  return { operation: 'UPDATE', object: csr(now), oldObject: csr(old), ...(subResource && { subResource }) };
}

function checkStatus(
  status: Status | undefined,
  expected: Exclude<Case['allowed'], true>,
  causes: readonly string[],
): void {
  assert.ok(status);
  assert.deepEqual([status.code, status.reason, status.status], [expected.code, expected.reason, 'Failure']);
  if (typeof expected.message === 'string') assert.equal(status.message, expected.message);
  else assert.match(status.message, expected.message);
  const told = (status.details?.causes ?? []).map(({ reason, field }) => `${reason} ${field}`);
  assert.deepEqual(told, causes);
  if (causes.length > 0)
    assert.deepEqual([status.details?.kind, status.details?.name], ['CertificateSigningRequest', 'my-request']);
}

function describeCall({ verb, path, body }: RecordedCall): string {
  if (verb !== 'create') return `${verb} ${path}`;
  const { kind, spec } = body as { kind: string; spec: { resourceAttributes: Record<string, string> } };
  const { group, version, resource, verb: asked, namespace, name } = spec.resourceAttributes;
  assert.deepEqual(
    [path, group, version],
    ['/apis/authorization.k8s.io/v1/subjectaccessreviews', 'cert-manager.io', '*'],
  );
  return `create ${kind} ${asked} ${resource} ${namespace}/${name}`;
}

describe('a CSR is created', () => {
  for (const item of [...CREATE_CASES, ...SOFT_CASES]) test(item.name, () => check(item));
});

describe('where the operator demands more', () => {
  for (const item of POLICY_CASES) test(item.name, () => check(item));
});

describe('where the CA of the issuer has name constraints', () => {
  for (const item of CONSTRAINT_CASES) test(item.name, () => check(item));
});

describe('a CSR is let in with a warning for', () => {
  for (const item of WARNED_OF) test(item.name, () => check(item));
});

describe('a change is asked for of', () => {
  for (const item of UPDATE_CASES) test(item.name, () => check(item));
});

for (const operation of ['DELETE', 'CONNECT']) {
  test(`${operation} is allowed, whatever it carries`, () =>
    check({ name: '', request: { operation, object: null, oldObject: csr() }, allowed: true, calls: [] }));
}

describe('a CSR of the shared vectors: ', () => {
  for (const { name, csr: object, errors } of readValidationCases()) {
    test(name, async () => {
      // No issuer is known: SelfSigned ones have words of their own.
      webhook.enter({ answer: api(['*']) });
      const { body } = await webhook.post(review({ object }));
      const causes = body.response.status?.details?.causes ?? [];
      assert.equal(body.response.allowed, errors.length === 0);
      assert.equal(body.response.status?.reason, errors[0]?.reason);
      assert.deepEqual(
        causes.map(({ reason, field }) => ({ reason, field })),
        errors.map(({ reason, field }) => ({ reason, field })),
      );
      for (const { field, message } of errors) {
        assert.ok(body.response.status?.message.includes(`${field}: ${message}`), message);
      }
    });
  }
});

describe('a secret is never repeated that was pasted as', () => {
  const { cert, key } = makeKeyPair('pasted', 1);
  for (const [what, pasted] of [
    ['a private key', key],
    ['a certificate', cert],
  ] as const) {
    for (const annotation of [REQUEST_DURATION, REQUEST_IS_CA, PRIVATE_KEY_SECRET_NAME]) {
      test(`${what} in ${annotation}`, async () => {
        const [, firstLine = ''] = pasted.split('\n');
        const sentinel = firstLine.slice(0, 20);
        webhook.enter(GRANTED);
        const { body } = await webhook.post(
          review({ object: csr({ signerName: SELF, annotations: { [annotation]: pasted } }) }),
        );
        assert.ok(!JSON.stringify(body).includes(sentinel), JSON.stringify(body));
        assert.ok(!JSON.stringify(webhook.logs).includes(sentinel), JSON.stringify(webhook.logs));
      });
    }
  }
});

describe('the end of the CA', () => {
  const inDays = (days: number): World => ({ ...GRANTED, now: new Date(Date.now() + days * 24 * 3_600_000) });

  test('before that of the certificate is a warning with both dates', async () => {
    webhook.enter(inDays(300));
    const { body } = await webhook.post(review());
    assert.equal(body.response.warnings?.length, 1);
    const date = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
    const text = new RegExp(`^the CA in Secret sandbox/ca-pair ends ${date}, before the certificate would: ${date}$`);
    assert.match(body.response.warnings?.[0] ?? '', text);
  });

  test('in the past is a warning', async () => {
    webhook.enter(inDays(400));
    const { body } = await webhook.post(review());
    assert.match(body.response.warnings?.[0] ?? '', /^the CA in Secret sandbox\/ca-pair has ended: /);
  });
});

test('the access review is about the requester of the admission, not about what the object says', async () => {
  webhook.enter(GRANTED);
  await webhook.post(review());
  const body = webhook.client.calls[0]?.body as { spec: Record<string, unknown> } | undefined;
  const { user, uid, groups, extra } = body?.spec ?? {};
  assert.deepEqual({ user, uid, groups, extra }, { user: 'jane', uid: 'u1', groups: JANE.groups, extra: JANE.extra });
});

test('a refusal for our own fault leaves its cause in the log alone', async () => {
  webhook.enter(failing(network));
  const { body } = await webhook.post(review());
  assert.doesNotMatch(JSON.stringify(body), /ECONNREFUSED/);
  const [line] = webhook.logs;
  assert.equal(line?.['level'], 'error');
  assert.match(JSON.stringify(line?.['err']), /ECONNREFUSED/);
});

test('one log line says who asked for what and what was answered', async () => {
  webhook.enter({ issuers: ISSUERS, answer: api([]) });
  await webhook.post(review());
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

test('admissions are counted by answer and reason', async () => {
  const text = await webhook.registry.metrics();
  assert.match(text, /countersign_webhook_admissions_total\{answer="allowed",reason=""\} [1-9]/);
  assert.match(text, /countersign_webhook_admissions_total\{answer="denied",reason="DeniedReference"\} [1-9]/);
  assert.match(text, /countersign_webhook_admissions_total\{answer="error",reason="AccessReviewFailed"\} [1-9]/);
  assert.match(text, /countersign_webhook_access_review_duration_seconds_count\{result="missing"\} [1-9]/);
  assert.match(text, /countersign_webhook_admissions_in_flight 0/);
});

test('a CSR whose name is longer than the signer keeps is refused', async () => {
  webhook.enter(GRANTED);
  const { body } = await webhook.post(review({ object: csr({ name: 'x'.repeat(254) }) }));
  const { status } = body.response;
  const message = 'metadata.name: The name of the CSR has 254 characters, at most 253 are looked at (NameTooLong)';
  assert.deepEqual([status?.code, status?.reason, status?.message], [422, 'NameTooLong', message]);
});
