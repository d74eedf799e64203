// A performance guard that counts work instead of time: what a certificate costs that Vault or cert-manager issues, in
// requests to Vault and API calls. What docs/scaling.md says about them.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { sequence, tlv } from '@countersign/common/x509/der.ts';
import { EXTENSION } from '@countersign/common/x509/oids.ts';
import { GENERAL_NAME } from '@countersign/common/x509/subject-alt-name.ts';
import {
  type CertificateRequest,
  collectionPath,
} from '@countersign/signer/issuers/cert-manager/certificate-request.ts';
import { createDelegatedIssuer } from '@countersign/signer/issuers/cert-manager/delegated-issuer.ts';
import { createVaultIssuer } from '@countersign/signer/issuers/vault/vault.ts';
import { VaultMetrics } from '@countersign/signer/issuers/vault/vault-metrics.ts';
import { buildIssuer } from '../../support/ca-builder.ts';
import { buildCertificate, createHolder } from '../../support/certificate-builder.ts';
import { buildCsr, buildRequest } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import type { RecordedCall } from '../../support/recording-client.ts';
import { NOW, REVIEW, SECRET } from './reconcile-harness.ts';
import { PATCH, SignerHarness } from './signer-harness.ts';

const NAMES = {
  oid: EXTENSION.subjectAltName,
  critical: true,
  value: sequence(tlv(GENERAL_NAME.dnsName, Buffer.from('a.example'))),
};
const authority = createHolder('remote CA');
const authorityPem = buildCertificate(authority);
const leafPem = buildCertificate(
  { name: '', publicKey: createPublicKey(readPki('keys/p256')), privateKey: authority.privateKey },
  authority,
  { subject: sequence(), basicConstraints: sequence(), extensions: [NAMES], ends: '270222120000Z' },
);

function createHarness(spec: Parameters<typeof buildIssuer>[0]): SignerHarness {
  const harness = new SignerHarness();
  harness.csr = buildCsr({ request: buildRequest([NAMES]) });
  harness.issuer = buildIssuer(spec);
  return harness;
}

/** How often each call was made. */
function countCalls(calls: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(calls, call => call)).map(([call, all = []]) => [call, all.length]),
  );
}

/** A Vault server that signs everything with the same certificate. */
async function startVault(t: TestContext) {
  const seen: string[] = [];
  const answers: Readonly<Record<string, object>> = {
    '/v1/auth/approle/login': { auth: { client_token: 's.token', lease_duration: 1_200 } },
    '/v1/pki/sign/web': { data: { certificate: leafPem, issuing_ca: authorityPem } },
  };
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume().once('end', () => response.end(JSON.stringify(answers[request.url ?? ''])));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

test('certificates of a Vault issuer cost one request to Vault each and one login together, and the calls of a CA', async t => {
  const vault = await startVault(t);
  const appRole = { path: 'approle', roleId: 'signer', secretRef: { name: 'my-ca', key: 'secretId' } };
  const harness = createHarness({ vault: { server: vault.url, path: 'pki/sign/web', auth: { appRole } } });
  const data = { secretId: Buffer.from('secret').toString('base64') };
  harness.secret = { metadata: { name: 'my-ca', uid: 'u', resourceVersion: '1' }, data };
  const { client, secrets } = harness;
  const metrics = new VaultMetrics(createRegistry());
  const deps = { client, secrets, metrics, clusterResourceNamespace: 'countersign', allowedServers: [] };
  const handler = createVaultIssuer(deps);
  Object.assign(harness.deps.settings, { handlers: [handler] });
  await harness.run();
  assert.equal(client.events.length, 1);
  for (let run = 1; run < 10; run += 1) await harness.run();
  assert.deepEqual(countCalls(vault.seen), { 'POST /v1/auth/approle/login': 1, 'POST /v1/pki/sign/web': 10 });
  assert.deepEqual(countCalls(harness.asked), { [REVIEW]: 10, [SECRET]: 1, [PATCH]: 10 });
});

describe('a certificate that cert-manager issues', () => {
  const COLLECTION = collectionPath('sandbox');
  const OWN = 'system:serviceaccount:countersign:countersign-signer';

  /** The API server of a cluster whose cert-manager has issued when `issue` was called. */
  function open() {
    const harness = createHarness({ acme: {} });
    let stored: CertificateRequest | undefined;
    harness.fault = ({ verb, path, body }: RecordedCall) => {
      if (!path.startsWith(COLLECTION)) return undefined;
      if (verb !== 'create') return stored;
      const wanted = body as CertificateRequest;
      const metadata = { ...wanted.metadata, creationTimestamp: NOW.toISOString() };
      stored = { ...wanted, metadata, spec: { ...wanted.spec, username: OWN } };
      return stored;
    };
    const watch = { has: () => stored !== undefined, isServed: async () => true, noteServed: () => undefined };
    const deps = { client: harness.client, watch, username: async () => OWN, now: () => NOW, approves: false };
    const handler = createDelegatedIssuer('acme', { ...deps, clusterResourceNamespace: 'countersign' });
    Object.assign(harness.deps.settings, { handlers: [handler] });
    const issue = () => {
      const conditions = ['Approved', 'Ready'].map(type => ({ type, status: 'True' }));
      const certificate = Buffer.from(leafPem + authorityPem).toString('base64');
      if (stored !== undefined) stored = { ...stored, status: { conditions, certificate } };
    };
    return { harness, issue };
  }

  test('costs one creation, one read, one write, two reviews and two events', async () => {
    const { harness, issue } = open();
    await harness.run();
    issue();
    await harness.run();
    const [, create = '', , read = ''] = harness.asked;
    assert.match(create, /^create .*\/certificaterequests\?/);
    assert.match(read, /^get .*\/certificaterequests\/[^/]+$/);
    assert.deepEqual(harness.asked, [REVIEW, create, REVIEW, read, PATCH]);
    assert.deepEqual(
      harness.client.events.map(event => event.replace(/:.*/, '')),
      ['Normal CertificateRequestPending', 'Normal CertificateIssued'],
    );
  });
});
