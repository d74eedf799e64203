// What the webhook caches: the issuers, and permissions and facts about Secrets for one second.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';
import type { IssuerKind, IssuerRef } from '@countersign/common/signer-name.ts';
import { findScope } from '@countersign/webhook/admit.ts';
import { createHandler } from '@countersign/webhook/handler.ts';
import { IssuerView } from '@countersign/webhook/issuer-view.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';
import { observe } from '@countersign/webhook/observe.ts';
import { PermissionCache } from '@countersign/webhook/permission-cache.ts';
import { SecretFactsReader } from '@countersign/webhook/secret-facts.ts';
import { review } from '../../support/admission-reviews.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TEST_LOG } from '../../support/test-log.ts';
import { makeKeyPair } from './webhook-fixture.ts';

const metrics = { onList: () => undefined, onWatchEnd: () => undefined, setSize: () => undefined };

function ref(kind: IssuerKind, name: string): IssuerRef {
  return { kind, namespace: kind === 'Issuer' ? 'sandbox' : '', name };
}

const CSR = { metadata: { name: 'x' }, spec: { signerName: 'issuers.cert-manager.io/sandbox.ca', request: '' } };

describe('the issuer cache', () => {
  test('an issuer is unknown until the cache has synced', () => {
    const view = new IssuerView({ client: new RecordingClient(), log: TEST_LOG, metrics });
    assert.equal(view.find(ref('Issuer', 'ca')), 'unknown');
  });

  test('the cache finds an issuer by kind, namespace and name, and keeps only the fields in use', async () => {
    const metadata = { name: 'ca', namespace: 'sandbox', resourceVersion: '7', managedFields: ['long'] };
    const spec = { ca: { secretName: 's' } };
    const client = new RecordingClient(({ path }) => {
      const items = path.includes('/issuers') ? [{ metadata, spec }] : [];
      return { metadata: { resourceVersion: '7' }, items };
    });
    const view = new IssuerView({ client, log: TEST_LOG, metrics });
    const stop = new AbortController();
    const running = view.run(stop.signal);
    await view.waitUntilSynced(AbortSignal.timeout(5_000));
    assert.deepEqual(view.find(ref('Issuer', 'ca')), {
      metadata: { name: 'ca', namespace: 'sandbox', resourceVersion: '7' },
      spec,
      status: { conditions: [] },
    });
    assert.equal(view.find(ref('ClusterIssuer', 'ca')), 'missing');
    assert.equal(view.find(ref('Issuer', 'other')), 'missing');
    stop.abort();
    await running;
  });

  test('an admission reads the cache once, so that its warnings match its decision', async () => {
    const issuers = [{ metadata: { name: 'ca' }, spec: { ca: { secretName: 's' } } }, 'missing' as const];
    const handle = createHandler({
      client: new RecordingClient(() => ({ status: { allowed: true } })),
      issuers: { find: () => issuers.shift() ?? 'unknown' },
      clusterResourceNamespace: 'countersign',
      metrics: new WebhookMetrics(createRegistry()),
      reviewTimeoutMs: 1_000,
      log: TEST_LOG,
      now: () => new Date(),
      policy: PERMISSIVE_POLICY,
    });
    const caller = { address: '127.0.0.1', signal: AbortSignal.timeout(5_000) };
    const { body } = await handle(review(), caller);
    assert.ok('response' in body);
    const { allowed, warnings } = body.response;
    const wait = 'Issuer sandbox/ca is not Ready; the request waits';
    assert.deepEqual({ allowed, warnings }, { allowed: true, warnings: [wait] });
  });

  test('the wait for the cache ends when the signal is aborted', async () => {
    const client = new RecordingClient(() => new Promise<WatchEvent>(() => undefined));
    await new IssuerView({ client, log: TEST_LOG, metrics }).waitUntilSynced(AbortSignal.timeout(30));
  });
});

test("a caller that waited past its deadline for another caller's review does not retry when that fails", async () => {
  const gate = Promise.withResolvers<never>();
  const client = new RecordingClient(() => gate.promise);
  const deps = {
    client,
    issuers: { find: () => 'unknown' as const },
    secrets: { read: async () => undefined },
    clusterResourceNamespace: 'countersign',
    metrics: new WebhookMetrics(createRegistry()),
    permissions: new PermissionCache(1_000),
    reviewTimeoutMs: 30,
  };
  const scope = findScope({ uid: '1', userInfo: {}, operation: 'CREATE', object: CSR }, PERMISSIVE_POLICY);
  const answers = await Promise.allSettled([observe(scope, {}, deps), observe(scope, {}, deps)]);
  assert.ok(answers.every(({ status }) => status === 'rejected'));
  await sleep(20);
  gate.reject(new Error('no answer'));
  await sleep(20);
  assert.equal(client.calls.length, 1);
});

describe('the facts about a Secret', () => {
  const secret = { namespace: 'sandbox', name: 'ca' };
  const { cert } = makeKeyPair('ca', 5);

  test('the facts about a Secret are whether it exists and when its certificate expires', async () => {
    const data = { 'tls.crt': Buffer.from(cert).toString('base64'), 'tls.key': 'never read' };
    const facts = await new SecretFactsReader(new RecordingClient(() => ({ data })), 100).read(secret);
    assert.equal(facts?.exists, true);
    assert.deepEqual(Object.keys(facts ?? {}), ['exists', 'certificateExpiry']);
  });

  test('a Secret is read at most once a second, however many callers there are', async () => {
    const client = new RecordingClient(() => ({ data: {} }));
    const reader = new SecretFactsReader(client, 100);
    await Promise.all([reader.read(secret), reader.read(secret)]);
    await reader.read(secret);
    assert.equal(client.calls.length, 1);
    await new Promise(resolve => setTimeout(resolve, 1_050));
    await reader.read(secret);
    assert.equal(client.calls.length, 2);
  });
});
