// What the webhook protects while it runs, and what works without it: foreign requests, approvals and signing never
// depend on it; requests for our issuers are denied; and the signer checks requests that were created anyway.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { Refusal } from '../support/api.ts';
import { createRequest } from '../support/certificate-checks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { loadAuthority } from '../support/control-plane/authority.ts';
import { readPki } from '../support/pki.ts';
import {
  annotate,
  approvalBody,
  approve,
  CSRS,
  type CsrObject,
  createCsr,
  csrManifest,
  failureOf,
  getCsr,
  issue,
  tryCreateCsr,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';
import { readValidationCases } from '../support/vectors.ts';

const DURATION = 'experimental.cert-manager.io/request-duration';
const IS_CA = 'experimental.cert-manager.io/request-is-ca';
const KEY_SECRET = 'experimental.cert-manager.io/private-key-secret-name';
const LOCKED = { [DURATION]: '2h', [IS_CA]: 'true', [KEY_SECRET]: 'another' };
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const ABSENT = 'clusterissuers.cert-manager.io/absent';
const NO_WEBHOOK = /failed calling webhook "requests\.countersign\.io"/;

interface WebhookConfiguration {
  readonly webhooks: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

let cluster: Cluster;
let signerName: string;
before(async () => {
  cluster = await startCluster();
  await cluster.createNamespace('sandbox');
  signerName = await cluster.createCaIssuer({ namespace: 'sandbox', name: 'ca' }, ROOT);
  await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my.ca' }, ROOT);
});
after(() => cluster?.stop());

/** Returns the serial number of the webhook's serving certificate. */
function servedSerial(): Promise<string> {
  const { hostname, port } = new URL(cluster.installation.webhookUrl);
  return new Promise((resolve, reject) => {
    // Only reads the certificate; the following request shows that the API server trusts it.
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

function conditionsOf({ status }: CsrObject): string[] | undefined {
  return status?.conditions?.map(({ type, reason }) => `${type} ${reason}`);
}

describe('while the webhook runs', () => {
  for (const [subresource, isApproved] of ['', '/status', '/approval'].flatMap(each => [
    [each, false] as const,
    [each, true] as const,
  ])) {
    const when = isApproved ? 'after the approval' : 'before the approval';
    test(`only unlocked annotations can be changed ${when} through ${subresource || 'the object'}`, async () => {
      const name = `locked-${isApproved}${subresource.replace('/', '-')}`;
      await createCsr(cluster, { name, signerName: ABSENT, annotations: { [DURATION]: '1h', other: 'a' } });
      if (isApproved) await approve(cluster, name);
      const changes = [...Object.entries(LOCKED), [DURATION, null], [DURATION, '']] as const;
      for (const [key, value] of changes) {
        const { status, body } = await annotate(cluster, `${name}${subresource}`, { [key]: value });
        assert.deepEqual([status, body.reason], [422, 'ImmutableAnnotation'], key);
        const fields = body.details?.causes?.map(({ field }) => field);
        assert.deepEqual(fields, [`metadata.annotations[${key}]`]);
      }
      assert.equal((await annotate(cluster, `${name}${subresource}`, { other: 'b', another: 'c' })).status, 200);
      const { annotations } = (await getCsr(cluster, name)).metadata;
      assert.deepEqual(annotations, { [DURATION]: '1h', other: 'b', another: 'c' });
    });
  }

  test('a new empty annotation is denied', async () => {
    await createCsr(cluster, { name: 'emptied', signerName: ABSENT });
    const { status, body } = await annotate(cluster, 'emptied', { [DURATION]: '' });
    assert.deepEqual([status, body.reason], [422, 'ImmutableAnnotation']);
  });

  test('an approval cannot change the request at the same time', async () => {
    await createCsr(cluster, { name: 'in-passing', signerName: ABSENT });
    const body = { ...approvalBody(), metadata: { annotations: { [IS_CA]: 'true' } } };
    const path = `${CSRS}/in-passing/approval`;
    const answer = await cluster.api.call<Refusal>({ method: 'PATCH', path, body });
    assert.deepEqual([answer.status, answer.body.reason], [422, 'ImmutableAnnotation']);
    assert.equal((await getCsr(cluster, 'in-passing')).status?.conditions, undefined);
  });

  const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const SHORT_KEYS = Array.from(
    { length: 87_381 },
    (_, index) =>
      [[index / 3844, (index / 62) % 62, index % 62].map(at => ALPHABET[Math.trunc(at)]).join(''), ''] as const,
  );
  for (const [what, annotations] of [
    ['many short annotations, which managedFields repeats', Object.fromEntries(SHORT_KEYS)],
    ['one annotation that Go escapes', { note: '<'.repeat(262_000) }],
  ] as const) {
    test(`a CSR with annotations of the maximum size is admitted: ${what}`, async () => {
      const body = csrManifest({ name: 'largest', signerName: ABSENT, annotations });
      // A dry run passes admission in full; etcd would not store the many keys.
      const { status, body: answer } = await cluster.api.call<Refusal>({
        method: 'POST',
        path: `${CSRS}?dryRun=All`,
        body,
        // The API server takes long for managedFields of so many keys, on a busy machine longer than any other request.
        timeoutMs: 60_000,
      });
      assert.equal(status, 201, answer.message);
    });
  }

  test('a large request without memory for its body is retried by the API server and admitted', async () => {
    const { hostname, port } = new URL(cluster.installation.webhookUrl);
    const head = `POST /validate HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: ${2 * 1024 * 1024}\r\n`;
    const halves = Array.from({ length: 16 }, () =>
      connect({ host: hostname, port: Number(port), rejectUnauthorized: false }),
    );
    await Promise.all(halves.map(half => once(half, 'secureConnect')));
    for (const half of halves) half.write(`${head}content-type: application/json\r\n\r\n{`);
    await sleep(200);
    const started = performance.now();
    setTimeout(() => halves.forEach(half => half.destroy()), 500);
    await createCsr(cluster, { name: 'patient', signerName: ABSENT, annotations: { note: 'x'.repeat(100_000) } });
    assert.ok(performance.now() - started > 900);
  });

  test('a request for another signer can be annotated freely', async () => {
    const annotations = { [DURATION]: 'foo' };
    await createCsr(cluster, { name: 'foreign', signerName: 'example.com/signer', annotations });
    await approve(cluster, 'foreign');
    assert.equal((await annotate(cluster, 'foreign', { [DURATION]: 'bar' })).status, 200);
  });

  test('a new serving certificate in the Secret is served without a restart', async () => {
    const file = (name: string) => join(cluster.controlPlane.dir, 'installation', name);
    const authority = await loadAuthority(file('webhook-ca.crt'), file('webhook-ca.key'));
    assert.ok(authority);
    const { certPem, keyPem } = await authority.issueServing('countersign-webhook');
    const secrets = '/api/v1/namespaces/countersign/secrets';
    await cluster.api.patch(`${secrets}/countersign-webhook-tls`, {
      stringData: { 'tls.crt': certPem, 'tls.key': keyPem },
    });
    const { serialNumber } = new X509Certificate(certPem);
    const isServed = async () => ((await servedSerial()) === serialNumber ? true : undefined);
    await cluster.eventually('the new certificate is served', isServed);
    assert.equal((await tryCreateCsr(cluster, { name: 'after-rotation', signerName: ABSENT })).status, 201);
  });
});

test('requests are denied if the API server does not trust the webhook, which counts the cause', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign-webhook';
  const found = await cluster.api.get<WebhookConfiguration>(path);
  const trust = (caBundle: string | undefined) =>
    cluster.api.patch(path, {
      webhooks: found.webhooks.map(webhook => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } })),
    });
  await trust(Buffer.from(ROOT.certificate).toString('base64'));
  let count = 0;
  const isAnswered = async (expected: number) => {
    const { status } = await tryCreateCsr(cluster, { name: `distrustful-${(count += 1)}`, signerName: ABSENT });
    return status === expected ? true : undefined;
  };
  await cluster.eventually('the wrong CA is in effect', () => isAnswered(500));
  const metrics = await (await fetch(`${cluster.installation.running('webhook')[0]?.url}/metrics`)).text();
  assert.match(metrics, /countersign_webhook_tls_handshake_failures_total\{cause="distrusted"\} [1-9]/);
  await trust(found.webhooks[0]?.clientConfig.caBundle);
  await cluster.eventually('the right CA is in effect', () => isAnswered(201));
});

describe('while the webhook is down', () => {
  before(async () => {
    await createCsr(cluster, { name: 'before', signerName, annotations: { [DURATION]: '1h' } });
    await createCsr(cluster, { name: 'denied', signerName });
    const [webhook] = cluster.installation.running('webhook');
    await webhook?.child.stop(0);
  });

  test('a kubelet can request its certificate while the webhook is down', async () => {
    const key = readPki('keys/p256');
    const node = { user: 'system:node:n1', groups: ['system:nodes'] };
    const input = {
      name: 'kubelet',
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      request: await createRequest(key, 'system:node:n1', '-subj', '/O=system:nodes/CN=system:node:n1'),
      usages: ['digital signature', 'client auth'],
    };
    const { status, body } = await tryCreateCsr(cluster, input, node);
    assert.equal(status, 201, body.message);
    await approve(cluster, 'kubelet');
  });

  test('an existing request can be approved and signed, or denied, while the webhook is down', async () => {
    await approve(cluster, 'before');
    const { csr } = await waitUntilIssued(cluster, 'before');
    assert.ok(csr.metadata.annotations?.['experimental.cert-manager.io/ca']);
    const conditions = [{ type: 'Denied', status: 'True', reason: 'Tested', message: 'by a test' }];
    await cluster.api.patch(`${CSRS}/denied/approval`, { status: { conditions } });
    assert.deepEqual(conditionsOf(await getCsr(cluster, 'denied')), ['Denied Tested']);
  });

  test('unlocked annotations can be changed while the webhook is down', async () => {
    assert.equal((await annotate(cluster, 'before', { other: 'b' })).status, 200);
  });

  for (const subresource of ['', '/status', '/approval']) {
    test(`a locked annotation cannot be changed through ${subresource || 'the object'} while the webhook is down`, async () => {
      const { status, body } = await annotate(cluster, `before${subresource}`, { [IS_CA]: 'true' });
      assert.deepEqual([status, NO_WEBHOOK.test(body.message)], [500, true], body.message);
    });
  }

  test('a new request for an issuer is denied until the webhook is back', async () => {
    for (const name of [signerName, ABSENT]) {
      const { status, body } = await tryCreateCsr(cluster, { name: 'shut-out', signerName: name });
      assert.deepEqual([status, NO_WEBHOOK.test(body.message)], [500, true], body.message);
    }
    await cluster.installation.start('webhook');
    await issue(cluster, { name: 'back', signerName });
  });
});

describe('the signer without the webhook', { concurrency: 8 }, () => {
  before(async () => {
    await cluster.createCaIssuer({ name: 'ca' }, ROOT);
    const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    await cluster.api.remove(`${configurations}/countersign-webhook`);
    const isGone = async () => {
      const { status } = await tryCreateCsr(cluster, { name: 'unguarded', signerName: 'foos.cert-manager.io/x' });
      return status === 201 ? true : undefined;
    };
    await cluster.eventually('the API server no longer calls the webhook', isGone);
  });

  for (const { name, csr, errors, refusedByApiServer } of readValidationCases()) {
    if (refusedByApiServer) continue;
    test(`the signer decides like the webhook: ${name}`, async () => {
      const [error] = errors;
      await cluster.api.create(CSRS, csr);
      await approve(cluster, csr.metadata.name);
      if (error?.reason === 'InvalidSignerName') return staysPending(csr.metadata.name, error.message);
      if (!csr.spec.signerName.includes('issuers.cert-manager.io/')) return void ignored.push(csr.metadata.name);
      if (error === undefined) return void (await waitUntilIssued(cluster, csr.metadata.name));
      const failed = await waitUntilFailed(cluster, csr.metadata.name);
      const { reason, message } = failureOf(failed) ?? {};
      assert.deepEqual([reason, message], [error.reason, error.message]);
      assert.equal(failed.status?.certificate, undefined);
    });
  }
});

/** Checks that the CSR gets one event and no status write. */
async function staysPending(name: string, message: string): Promise<void> {
  const csr = await getCsr(cluster, name);
  assert.deepEqual(await cluster.eventsOf(csr, 1), [`Warning InvalidSignerName: ${message}`]);
  assert.deepEqual(conditionsOf(await getCsr(cluster, name)), ['Approved Tested']);
}

const ignored: string[] = [];
test("the signer ignores another signer's request", async () => {
  assert.equal(ignored.length, 1);
  for (const name of ignored) {
    const csr = await getCsr(cluster, name);
    assert.deepEqual([conditionsOf(csr), await cluster.eventsOf(csr, 0)], [['Approved Tested'], []]);
  }
});
