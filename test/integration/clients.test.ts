// docs/clients.md on a real API server: runs its commands as documented, and gets a certificate for a Calico pod with
// that pod's permissions. For Istio, see istiod.test.ts.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { openssl } from '../support/certificate-checks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type ClientAnswer, runCsrClient } from '../support/csr-client.ts';
import { paste, readBlock } from '../support/pasted-commands.ts';
import { readPki } from '../support/pki.ts';
import { CSRS, csrManifest, tryCreateCsr } from '../support/requests.ts';
import { createAccount } from '../support/service-account.ts';

const PAGE = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const CALICO = { account: 'calico-node', namespace: 'calico-system' };

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  await cluster.createNamespace(CALICO.namespace);
  await cluster.createCaIssuer({ name: 'calico' }, ROOT);
});
after(() => cluster?.stop());

function file(name: string): string {
  return join(cluster.controlPlane.dir, name);
}

describe('the right to approve', () => {
  before(() => paste(cluster.controlPlane, readBlock(PAGE, 'The right to approve', 'sh')));

  async function approveAsAlice(name: string, signerName: string): Promise<string> {
    await cluster.api.create(CSRS, csrManifest({ name, signerName }));
    const { code, stderr } = await cluster.controlPlane.kubectl(['certificate', 'approve', name, '--as=alice']);
    return code === 0 ? 'approved' : stderr;
  }

  test('an approver can approve requests for one Issuer without permission to use it', async () => {
    assert.equal(await approveAsAlice('for-my-issuer', 'issuers.cert-manager.io/sandbox.my-issuer'), 'approved');
  });

  test('an approver for one Issuer cannot approve requests for another', async () => {
    const answer = await approveAsAlice('for-another', 'clusterissuers.cert-manager.io/calico');
    assert.match(
      answer,
      /user not permitted to approve requests with signerName "clusterissuers\.cert-manager\.io\/calico"/,
    );
  });

  test('the approve permission has no pattern for a namespace', async () => {
    const patch = [{ op: 'replace', path: '/rules/2/resourceNames', value: ['issuers.cert-manager.io/sandbox.*'] }];
    const role = ['patch', 'clusterrole', 'approver-of-my-issuer', '--type=json', '-p', JSON.stringify(patch)];
    await cluster.kubectl(role);
    const answer = () => approveAsAlice(`pattern-${performance.now()}`, 'issuers.cert-manager.io/sandbox.my-issuer');
    await cluster.eventually(
      'the role is changed',
      async () => (await answer()).includes('not permitted') || undefined,
    );
  });
});

test('the API server rejects the label NEW CERTIFICATE REQUEST, and OpenSSL does not write it', async () => {
  const pem = readPki('requests/p521').replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST');
  const input = { name: 'new-label', signerName: 'clusterissuers.cert-manager.io/calico' };
  const request = (text: string) => Buffer.from(text).toString('base64');
  const { status, body } = await tryCreateCsr(cluster, { ...input, request: request(pem) });
  assert.equal(status, 422);
  assert.match(body.message, /PEM block type must be CERTIFICATE REQUEST/);
  await writeFile(file('new.csr'), pem);
  await paste(cluster.controlPlane, readBlock(PAGE, 'The request', 'sh'));
  const rewritten = await readFile(file('request.pem'), 'utf8');
  assert.equal((await tryCreateCsr(cluster, { ...input, request: request(rewritten) })).status, 201);
});

interface Installation {
  readonly spec: { readonly certificateManagement: { readonly signerName: string } };
}

describe('a Calico pod with certificateManagement', () => {
  const { spec } = parse(readBlock(PAGE, 'Calico', 'yaml')) as Installation;
  const [signerDomain = '', signer = ''] = spec.certificateManagement.signerName.split('/');
  let kubeconfig: string;
  before(async () => {
    kubeconfig = await createAccount(cluster, CALICO, [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['create', 'watch', 'delete'],
      },
    ]);
  });

  function askAsCalico(patience: string): Promise<ClientAnswer> {
    return runCsrClient('calico', { kubeconfig, 'signer-domain': signerDomain, signer, patience });
  }

  test('a Calico pod gets its certificate after approval, even after an abandoned attempt', async () => {
    assert.equal((await askAsCalico('1s')).error, 'no certificate yet');
    const name = 'node-certs:calico-node-abcde';
    const { metadata: abandoned } = await cluster.api.get<{ metadata: { uid: string } }>(`${CSRS}/${name}`);
    const asked = askAsCalico('20s');
    await cluster.eventually('the request is recreated', async () => {
      const { body } = await cluster.api.call<{ metadata?: { uid?: string } }>({ path: `${CSRS}/${name}` });
      const { uid = abandoned.uid } = body.metadata ?? {};
      return uid === abandoned.uid ? undefined : uid;
    });
    await cluster.kubectl(['certificate', 'approve', name]);
    const { error, chain = '' } = await asked;
    assert.equal(error, undefined);
    await openssl(['verify', '-CAfile', 'root', 'leaf'], { leaf: chain, root: ROOT.certificate });
    const { subjectAltName } = new X509Certificate(chain);
    assert.match(subjectAltName ?? '', /IP Address:10\.0\.0\.7/);
    const text = await openssl(['x509', '-in', 'pem', '-noout', '-ext', 'keyUsage,extendedKeyUsage'], { pem: chain });
    assert.match(text, /Digital Signature, Key Agreement/);
    assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/);
  });
});

describe("client-go's certificate manager", () => {
  const MANAGER = { account: 'my-controller', namespace: 'my-controller' };
  const [signerDomain, signer] = ['issuers.cert-manager.io', 'sandbox.my-issuer'];
  let kubeconfig: string;
  before(async () => {
    await cluster.createNamespace(MANAGER.namespace);
    await cluster.createNamespace('sandbox');
    await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my-issuer' }, ROOT);
    kubeconfig = await createAccount(cluster, MANAGER, [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['create', 'get', 'list', 'watch'],
      },
    ]);
  });

  function askAsManager(patience: string): Promise<ClientAnswer> {
    return runCsrClient('manager', { kubeconfig, 'signer-domain': signerDomain, signer, patience });
  }

  test('a controller without permission finds the denial of the webhook in its log', async () => {
    const { error, log } = await askAsManager('2s');
    assert.equal(error, 'no certificate yet');
    assert.match(
      log,
      /cannot create certificate signing request: admission webhook .* denied the request: Requester may/,
    );
  });

  test('a controller with permission gets its certificate after approval', async () => {
    await cluster.createReferencerRole('sandbox', 'controller', 'my-issuer');
    const subject = `--serviceaccount=${MANAGER.namespace}:${MANAGER.account}`;
    await cluster.kubectl(['create', 'rolebinding', 'controller', '-n', 'sandbox', '--role=controller', subject]);
    const asked = askAsManager('20s');
    const name = await cluster.eventually('the controller has created a CSR', async () => {
      const { items } = await cluster.api.get<{ items: { metadata: { name: string }; spec: { username: string } }[] }>(
        CSRS,
      );
      return items.find(({ spec }) => spec.username.endsWith(':my-controller'))?.metadata.name;
    });
    await cluster.kubectl(['certificate', 'approve', name]);
    const { error, chain = '' } = await asked;
    assert.equal(error, undefined);
    await openssl(['verify', '-CAfile', 'root', 'leaf'], { leaf: chain, root: ROOT.certificate });
    const { validFromDate, validToDate } = new X509Certificate(chain);
    assert.equal(+validToDate - +validFromDate, 24 * 3_600_000);
  });
});
