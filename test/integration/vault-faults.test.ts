// Vault issuers whose server is sealed, down or slow, or whose credentials change: requests wait, are signed once the
// cause is gone, and do not delay other issuers. A real API server and a real OpenBao server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VaultIssuerSpec } from '@countersign/common/issuers/vault-spec.ts';
import { createRequest } from '../support/certificate-checks.ts';
import { type Cluster, type IssuerPlace, startCluster } from '../support/cluster.ts';
import { FaultProxy } from '../support/faults/fault-proxy.ts';
import { type OpenBao, startOpenBao } from '../support/openbao.ts';
import { readPki } from '../support/pki.ts';
import { approve, type CsrObject, createCsr, createThenApprove, issue, waitUntilIssued } from '../support/requests.ts';
import { createToken, setUpAppRole, setUpPki } from '../support/vault-pki.ts';

const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
/** A Secret is cached for a second, and an issuer that has just become Ready is checked once more. */
const SETTLED_MS = 1_500;
/** What a request reports if a periodic check of its issuer was faster. */
const NOT_READY = 'Warning IssuerNotReady: ';
/** Much longer than any backoff. */
const RECOVERED_WITHIN_MS = 90_000;

let cluster: Cluster;
let bao: OpenBao;
let proxy: FaultProxy;
let request: string;
before(async () => {
  cluster = await startCluster({ signerFlags: ['--vault-servers=127.0.0.1,*.example.com'] });
  bao = await startOpenBao();
  proxy = await FaultProxy.start(bao.url);
  await setUpPki(bao);
  request = await createRequest(readPki('keys/p256'), 'www.example.com');
});
after(async () => {
  await proxy?.stop();
  await bao?.stop();
  await cluster?.stop();
});

/** An issuer `vault` in a namespace of its own, which logs in with a Secret `vault`; returns its signer name. */
async function createVault(name: string, spec: VaultIssuerSpec, secret?: Record<string, string>): Promise<string> {
  const namespace = await cluster.createNamespace(name);
  if (secret) await cluster.createSecret(namespace, 'vault', secret);
  const vault = { server: proxyUrl(), path: 'pki/sign/any', ...spec };
  return cluster.createIssuer(placeIn(namespace), { vault });
}

const placeIn = (namespace: string): IssuerPlace => ({ namespace, name: 'vault' });
const proxyUrl = () => proxy.url.replace('https', 'http');
const byToken = { auth: { tokenSecretRef: { name: 'vault' } } };
const secretPath = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets/vault`;

async function createTokenVault(name: string): Promise<string> {
  const signerName = await createVault(name, byToken, { token: await createToken(bao) });
  await cluster.whenReady(placeIn(name), 20_000);
  return signerName;
}

async function byAppRole(settings: object): Promise<[VaultIssuerSpec, Record<string, string>]> {
  const { roleId, secretId } = await setUpAppRole(bao, settings);
  return [
    { auth: { appRole: { path: 'approle', roleId, secretRef: { name: 'vault', key: 'id' } } } },
    { id: secretId },
  ];
}

/** Waits for an event of the CSR that begins with one of the texts. */
function whenReported(csr: CsrObject, ...texts: readonly string[]): Promise<string> {
  return cluster.eventually(
    `${csr.metadata.name}: ${texts[0]}`,
    async () => {
      const events = await cluster.eventsOf(csr, 1);
      return events.find(event => texts.some(text => event.startsWith(text)));
    },
    20_000,
  );
}

async function countLogins(): Promise<number> {
  const { body } = await bao.tryCall('LIST', 'auth/token/accessors');
  return body.data.keys.length;
}

describe('a request for a Vault issuer waits', () => {
  test('while the server is sealed, and is signed once it is unsealed', async () => {
    const signerName = await createTokenVault('sealed');
    await sleep(SETTLED_MS);
    await bao.seal();
    try {
      const csr = await createThenApprove(cluster, { name: 'sealed', signerName, request });
      const problem = 'Vault cannot sign at the moment, the request is repeated: Vault answered 503: Vault is sealed';
      await whenReported(csr, `Warning VaultUnavailable: ${problem}`, NOT_READY);
    } finally {
      await bao.unseal();
    }
    await waitUntilIssued(cluster, 'sealed', RECOVERED_WITHIN_MS);
  });

  test('while the server is down, and the issuer is Ready again soon after it is back', async () => {
    const signerName = await createTokenVault('down');
    proxy.mode = 'refuse';
    proxy.cut();
    const csr = await createThenApprove(cluster, { name: 'down', signerName, request });
    await whenReported(csr, 'Warning VaultUnavailable: ', NOT_READY);
    await createVault('new', byToken, { token: 'x' });
    const isDown = async () => ((await cluster.readinessOf(placeIn('new')))?.startsWith('False') ? true : undefined);
    await cluster.eventually('the new issuer is not Ready', isDown);
    proxy.heal();
    await waitUntilIssued(cluster, 'down', RECOVERED_WITHIN_MS);
    await cluster.whenReady(placeIn('new'), RECOVERED_WITHIN_MS);
  });

  test('while the server does not answer, which delays no other issuer', async () => {
    const signerName = await createTokenVault('slow');
    const ca = await cluster.createCaIssuer({ namespace: await cluster.createNamespace('other'), name: 'ca' }, ROOT);
    await cluster.whenReady({ namespace: 'other', name: 'ca' });
    proxy.mode = 'freeze';
    try {
      const names = Array.from({ length: 60 }, (_, index) => `slow-${index}`);
      await Promise.all(names.map(name => createCsr(cluster, { name, signerName, request })));
      await Promise.all(names.map(name => approve(cluster, name)));
      const start = performance.now();
      for (let index = 0; index < 5; index += 1) await issue(cluster, { name: `other-${index}`, signerName: ca });
      // Each of them would wait for a call to Vault if those held all workers.
      assert.ok(performance.now() - start < 20_000, `${performance.now() - start} ms`);
    } finally {
      proxy.heal();
    }
    await waitUntilIssued(cluster, 'slow-0', RECOVERED_WITHIN_MS);
    await waitUntilIssued(cluster, 'slow-59', RECOVERED_WITHIN_MS);
  });

  test('until its missing Secret exists', async () => {
    const signerName = await createTokenVault('missing');
    await cluster.api.remove(secretPath('missing'));
    await sleep(SETTLED_MS);
    const csr = await createThenApprove(cluster, { name: 'missing', signerName, request });
    const missing = 'Warning SecretNotFound: Required secret resource not found: Secret missing/vault';
    await whenReported(csr, missing, NOT_READY);
    await cluster.createSecret('missing', 'vault', { token: await createToken(bao) });
    await waitUntilIssued(cluster, 'missing', RECOVERED_WITHIN_MS);
  });

  test('after its token was revoked, until the Secret has another', async () => {
    const token = await createToken(bao);
    const signerName = await createVault('revoked', byToken, { token });
    await cluster.whenReady(placeIn('revoked'), 20_000);
    await bao.call('POST', 'auth/token/revoke', { token });
    const csr = await createThenApprove(cluster, { name: 'revoked', signerName, request });
    await whenReported(
      csr,
      'Warning VaultDenied: Vault does not let the issuer sign at /v1/pki/sign/any: Vault answered 403',
    );
    await cluster.api.patch(secretPath('revoked'), { stringData: { token: await createToken(bao) } });
    await waitUntilIssued(cluster, 'revoked', 15_000);
  });

  test('without a login to a server that the operator does not allow', async () => {
    await createVault('forbidden', { ...byToken, server: 'http://localhost:1' }, { token: 'x' });
    const readiness = await cluster.eventually('a condition', () => cluster.readinessOf(placeIn('forbidden')));
    assert.equal(
      readiness,
      'False VaultError: Vault server localhost:1 is not among the servers that the operator of Countersign allows (--vault-servers)',
    );
  });
});

describe('the token of a Vault login', () => {
  test('is used for many certificates, and replaced when Vault no longer accepts it', async () => {
    const signerName = await createVault('kept', ...(await byAppRole({ token_ttl: '20m' })));
    await cluster.whenReady(placeIn('kept'), 20_000);
    const logins = await countLogins();
    for (const name of ['kept-0', 'kept-1', 'kept-2']) await issue(cluster, { name, signerName, request });
    assert.equal(await countLogins(), logins);
    await bao.call('POST', 'sys/leases/revoke-prefix/auth/approle/login');
    await issue(cluster, { name: 'kept-3', signerName, request });
    assert.equal((await cluster.readinessOf(placeIn('kept')))?.split(' ')[0], 'True');
  });

  test('expires in the middle of many requests, and each gets one certificate', async () => {
    const signerName = await createVault('expiring', ...(await byAppRole({ token_ttl: '2s' })));
    await cluster.whenReady(placeIn('expiring'), 20_000);
    const certificates = async () => (await bao.call('LIST', 'pki/certs')).body.data.keys.length;
    const stored = await certificates();
    const names = Array.from({ length: 60 }, (_, index) => `expiring-${index}`);
    await Promise.all(names.map(name => createCsr(cluster, { name, signerName, request })));
    for (const [index, name] of names.entries()) {
      await approve(cluster, name);
      if (index % 20 === 19) await waitUntilIssued(cluster, name, 30_000);
      if (index % 20 === 19) await sleep(2_000);
    }
    for (const name of names) await waitUntilIssued(cluster, name, 30_000);
    assert.equal((await certificates()) - stored, names.length);
  });
});

test('requests for a Vault issuer are all signed although the signer is killed in the middle of them', async () => {
  const signerName = await createTokenVault('killed');
  const names = Array.from({ length: 40 }, (_, index) => `killed-${index}`);
  await Promise.all(names.map(name => createCsr(cluster, { name, signerName, request })));
  const approvals = Promise.all(names.map(name => approve(cluster, name)));
  await waitUntilIssued(cluster, 'killed-0', 30_000);
  for (const { child } of cluster.installation.running('signer')) {
    if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
    await child.ended;
  }
  await approvals;
  await cluster.installation.start('signer');
  // The Lease of the killed leader has to expire.
  for (const name of names) await waitUntilIssued(cluster, name, RECOVERED_WITHIN_MS);
});

test('the metrics count certificates and waiting requests of the issuer type vault', async () => {
  const text = await (await fetch(`${cluster.installation.running('signer')[0]?.url}/metrics`)).text();
  assert.match(
    text,
    /^countersign_certificates_total\{issuer_type="vault",result="issued",reason="CertificateIssued"\} \d+$/m,
  );
  assert.match(text, /^countersign_requests_waiting\{reason="VaultUnavailable"\} 0$/m);
  assert.match(text, /^countersign_approval_to_certificate_seconds_count\{issuer_type="vault"\} \d+$/m);
  assert.match(text, /^countersign_vault_request_duration_seconds_count\{purpose="sign",result="success"\} \d+$/m);
});
