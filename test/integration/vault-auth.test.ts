// Issuers of type Vault on a real API server and a real OpenBao server: every way to log in, TLS, namespaces, and what
// the role changes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { VaultIssuerSpec } from '@countersign/common/issuers/vault-spec.ts';
import { createRequest, openssl, splitPem } from '../support/certificate-checks.ts';
import { type Cluster, type IssuerPlace, startCluster } from '../support/cluster.ts';
import { type Authority, openAuthority } from '../support/control-plane/authority.ts';
import { type OpenBao, startOpenBao } from '../support/openbao.ts';
import { readPki } from '../support/pki.ts';
import { createThenApprove, getCsr, issue, waitUntilFailed, waitUntilIssued } from '../support/requests.ts';
import { createToken, setUpAppRole, setUpCertAuth, setUpKubernetesAuth, setUpPki } from '../support/vault-pki.ts';

const NAMESPACE = 'vault';
const ACCOUNT = 'vault-issuer';
const ISSUED = 'Normal CertificateIssued: Certificate signed successfully';
const VERIFIED = 'True VaultVerified: Vault verified';

let cluster: Cluster;
let bao: OpenBao;
let authority: Authority;
let request: string;
before(async () => {
  cluster = await startCluster();
  await cluster.createNamespace(NAMESPACE);
  const at = (name: string) => join(cluster.controlPlane.dir, name);
  authority = await openAuthority('bao CA', at('bao.crt'), at('bao.key'));
  const serving = await authority.issueServing('bao', ['bao.test']);
  bao = await startOpenBao({ tls: { ...serving, clientCaPem: authority.certPem } });
  await setUpPki(bao);
  request = await createRequest(readPki('keys/p256'), 'www.example.com');
});
after(async () => {
  await bao?.stop();
  await cluster?.stop();
});

/** Creates an issuer with a Secret of the same name in the same namespace, and returns its signer name. */
async function createVault(
  place: IssuerPlace,
  spec: VaultIssuerSpec,
  secret: Record<string, string> = {},
): Promise<string> {
  await cluster.createSecret(place.namespace ?? 'countersign', place.name, secret);
  return cluster.createIssuer(place, { vault: { server: bao.url, path: 'pki/sign/any', ...spec } });
}

const inNamespace = (name: string): IssuerPlace => ({ namespace: NAMESPACE, name });

async function tokenSecret(): Promise<Record<string, string>> {
  return { token: `${await createToken(bao)}\n` };
}

/** Waits until the issuer is Ready, and has it sign. */
async function signed(place: IssuerPlace, signerName: string): Promise<string> {
  assert.equal(await cluster.whenReady(place, 20_000), VERIFIED);
  const name = `${place.namespace ?? 'cluster'}-${place.name}`;
  return (await issue(cluster, { name, signerName, request })).chain;
}

async function whenNotReady(place: IssuerPlace): Promise<string> {
  const look = async () => {
    const readiness = await cluster.readinessOf(place);
    return readiness?.startsWith('False') ? readiness : undefined;
  };
  return cluster.eventually(`${place.name} is not Ready`, look, 20_000);
}

describe('a Vault issuer logs in', () => {
  test('with a token, and the certificate verifies against the root in its annotation', async () => {
    const spec = { auth: { tokenSecretRef: { name: 'token' } } };
    const signerName = await createVault(inNamespace('token'), spec, await tokenSecret());
    const [leaf = '', ...more] = splitPem(await signed(inNamespace('token'), signerName));
    assert.deepEqual(more, []);
    const { metadata } = await getCsr(cluster, 'vault-token');
    const root = Buffer.from(metadata.annotations?.['experimental.cert-manager.io/ca'] ?? '', 'base64').toString();
    assert.match(await openssl(['verify', '-CAfile', 'root', 'leaf'], { root, leaf }), /OK/);
    assert.match(await openssl(['x509', '-in', 'leaf', '-noout', '-subject'], { leaf }), /CN ?= ?www\.example\.com/);
  });

  test('with an AppRole, as a ClusterIssuer whose Secret is in the cluster resource namespace', async () => {
    const { roleId, secretId } = await setUpAppRole(bao);
    const appRole = { path: 'approle', roleId, secretRef: { name: 'approle', key: 'secretId' } };
    const signerName = await createVault({ name: 'approle' }, { auth: { appRole } }, { secretId });
    assert.equal(splitPem(await signed({ name: 'approle' }, signerName)).length, 1);
  });

  test('with a token of a ServiceAccount, for which it needs a Role, and with such a token in a Secret', async () => {
    const reviewer = await createAccountToken('countersign', 'reviewer');
    await cluster.kubectl(
      'create clusterrolebinding reviewer --clusterrole=system:auth-delegator --serviceaccount=countersign:reviewer'.split(
        ' ',
      ),
    );
    const { url, dir } = cluster.controlPlane;
    const caPem = readFileSync(join(dir, 'pki', 'ca.crt'), 'utf8');
    const audience = `vault://${NAMESPACE}/account`;
    const account = { namespace: NAMESPACE, name: ACCOUNT, audience };
    await setUpKubernetesAuth(bao, { url, caPem, reviewer }, account);
    const jwt = await createAccountToken(NAMESPACE, ACCOUNT, audience);

    const byRef = { auth: { kubernetes: { role: 'signer', serviceAccountRef: { name: ACCOUNT } } } };
    const signerName = await createVault(inNamespace('account'), byRef);
    const missing = `False VaultError: Failed to initialize Vault client: while requesting a token for the service account ${NAMESPACE}/${ACCOUNT}: forbidden`;
    assert.ok((await whenNotReady(inNamespace('account'))).startsWith(missing));
    await allowTokens(ACCOUNT);
    assert.equal(splitPem(await signed(inNamespace('account'), signerName)).length, 1);

    const bySecret = { auth: { kubernetes: { role: 'signer', secretRef: { name: 'jwt' } } } };
    const other = await createVault(inNamespace('jwt'), bySecret, { token: jwt });
    assert.equal(splitPem(await signed(inNamespace('jwt'), other)).length, 1);
  });

  test('with a client certificate', async () => {
    await setUpCertAuth(bao, authority.certPem);
    const { certPem, keyPem } = await authority.issueClient({ user: 'signer' });
    const auth = { clientCertificate: { name: 'signer', secretName: 'certificate' } };
    const caBundle = Buffer.from(authority.certPem).toString('base64');
    const spec = { server: bao.tlsUrl, caBundle, auth };
    const signerName = await createVault(inNamespace('certificate'), spec, { 'tls.crt': certPem, 'tls.key': keyPem });
    assert.equal(splitPem(await signed(inNamespace('certificate'), signerName)).length, 1);
  });
});

describe('the connection of a Vault issuer', () => {
  const auth = (name: string) => ({ tokenSecretRef: { name } });

  test('trusts the CA in a Secret for a server name, and sends a client certificate where the server requires one', async () => {
    const { certPem, keyPem } = await authority.issueClient({ user: 'anyone' });
    const name = 'mutual';
    const spec = {
      server: bao.mutualUrl,
      serverName: 'bao.test',
      caBundleSecretRef: { name },
      clientCertSecretRef: { name },
      clientKeySecretRef: { name },
      auth: auth(name),
    };
    const secret = { ...(await tokenSecret()), 'ca.crt': authority.certPem, 'tls.crt': certPem, 'tls.key': keyPem };
    const signerName = await createVault(inNamespace(name), spec, secret);
    assert.equal(splitPem(await signed(inNamespace(name), signerName)).length, 1);
  });

  test('the connection of a Vault issuer fails for a server that is not trusted, has another name or wants a certificate, and says so', async () => {
    const caBundle = Buffer.from(authority.certPem).toString('base64');
    const cases = [
      ['untrusted', { server: bao.tlsUrl }, 'its TLS certificate is not trusted'],
      ['misnamed', { server: bao.tlsUrl, caBundle, serverName: 'other.test' }, 'its TLS certificate is not trusted'],
      ['anonymous', { server: bao.mutualUrl, caBundle }, 'cannot be reached'],
    ] as const;
    for (const [name, spec, problem] of cases) {
      await createVault(inNamespace(name), { ...spec, auth: auth(name) }, await tokenSecret());
      const readiness = await whenNotReady(inNamespace(name));
      assert.match(
        readiness,
        /^False VaultError: Failed to verify Vault is initialized and unsealed: the Vault server/,
      );
      assert.ok(readiness.includes(problem), readiness);
    }
  });

  test('the connection of a Vault issuer uses the namespace of the spec', async () => {
    await bao.call('POST', 'sys/namespaces/team');
    const headers = { 'x-vault-namespace': 'team' };
    await setUpPki(bao, headers);
    const token = await createToken(bao, {}, headers);
    const spec = { namespace: 'team', auth: auth('namespace') };
    const signerName = await createVault(inNamespace('namespace'), spec, { token });
    assert.equal(splitPem(await signed(inNamespace('namespace'), signerName)).length, 1);
  });
});

describe('the role of a Vault issuer', () => {
  const vaultAt = async (name: string, path: string) => {
    const spec = { path, auth: { tokenSecretRef: { name } } };
    const signerName = await createVault(inNamespace(name), spec, await tokenSecret());
    await cluster.whenReady(inNamespace(name), 20_000);
    return signerName;
  };

  test('the role of a Vault issuer refuses a name, and the CSR fails with the words of Vault', async () => {
    const signerName = await vaultAt('narrow', 'pki/sign/narrow');
    const other = await createRequest(readPki('keys/p256'), 'www.example.org');
    await createThenApprove(cluster, { name: 'narrow', signerName, request: other });
    const failed = await waitUntilFailed(cluster, 'narrow');
    const { reason, message } = failed.status?.conditions?.find(({ type }) => type === 'Failed') ?? {};
    assert.equal(reason, 'ErrorSigning');
    const words = 'Vault answered 400: common name www.example.org not allowed by this role';
    assert.equal(message, `Vault failed to sign: failed to sign certificate by vault: ${words}`);
  });

  test('drops names, adds an organization and cuts the lifetime, and an event says so', async () => {
    const signerName = await vaultAt('drops', 'pki/sign/drops');
    const names = ['-addext', 'subjectAltName=DNS:a.example.com'];
    const asked = await createRequest(readPki('keys/p256'), 'www.example.com/O=Dropped', ...names);
    await createThenApprove(cluster, { name: 'drops', signerName, request: asked, expirationSeconds: 86_400 });
    const { csr } = await waitUntilIssued(cluster, 'drops');
    const [issued, different] = await cluster.eventsOf(csr, 2);
    assert.equal(issued, ISSUED);
    const differences = 'missing: subject.organizations Dropped; added: subject.organizations Added; it expires ';
    const text = `Warning CertificateDiffers: The issued certificate differs from the request: ${differences}`;
    assert.ok(different?.startsWith(text), String(different));
  });

  test('the role of a Vault issuer does not exist, and the CSR waits instead of failing, with what to check', async () => {
    const signerName = await vaultAt('absent', 'pki/sign/absent');
    const csr = await createThenApprove(cluster, { name: 'absent', signerName, request });
    const denied =
      'Warning VaultDenied: Vault does not let the issuer sign at /v1/pki/sign/absent: Vault answered 400: unknown role: absent; check';
    const [found] = await cluster.eventsOf(csr, 1);
    assert.ok(found?.startsWith(denied), String(found));
    await bao.call('POST', 'pki/roles/absent', { key_type: 'any', allow_any_name: true });
    await waitUntilIssued(cluster, 'absent', 30_000);
  });
});

async function createAccountToken(namespace: string, name: string, audience?: string): Promise<string> {
  await cluster.kubectl(['create', 'serviceaccount', name, '-n', namespace]);
  const to = audience === undefined ? [] : ['--audience', audience];
  return (await cluster.kubectl(['create', 'token', name, '-n', namespace, ...to])).trim();
}

/** As an administrator upgrades the release. */
async function allowTokens(name: string): Promise<void> {
  const values = JSON.stringify([{ namespace: NAMESPACE, names: [name] }]);
  const { helmCommand } = cluster.installation;
  const { code, stderr } = await cluster.controlPlane.helm([
    ...helmCommand,
    '--set-json',
    `vaultServiceAccounts=${values}`,
  ]);
  assert.equal(code, 0, stderr);
}
