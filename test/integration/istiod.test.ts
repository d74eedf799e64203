// Istio as set up in docs/clients.md, on a real API server: a program that makes the calls of istiod's registration
// authority, with the permissions of Istio's chart, gets valid certificates or the documented errors.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { openssl, splitPem } from '../support/certificate-checks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type ClientAnswer, runCsrClient } from '../support/csr-client.ts';
import { paste, readBlock } from '../support/pasted-commands.ts';
import { readPki } from '../support/pki.ts';
import { CSRS } from '../support/requests.ts';
import { createAccount, type PolicyRule } from '../support/service-account.ts';

const PAGE = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const BELOW_ROOT = { certificate: readPki('certificates/intermediate1'), key: readPki('keys/rsa2048') };
const ISTIOD = { account: 'istiod', namespace: 'istio-system' };
const NAMESPACED = { 'signer-domain': 'issuers.cert-manager.io', signer: 'sandbox.my-issuer' };

interface IstioValues {
  readonly env: { readonly CERT_SIGNER_DOMAIN: string };
  readonly global: { readonly certSigners: readonly string[] };
  readonly meshConfig: {
    readonly defaultConfig: { readonly proxyMetadata: { readonly ISTIO_META_CERT_SIGNER: string } };
    readonly caCertificates: readonly { readonly certSigners: readonly string[] }[];
  };
}

const values = parse(readBlock(PAGE, 'Istio', 'yaml')) as IstioValues;
const CONFIGURED = {
  'signer-domain': values.env.CERT_SIGNER_DOMAIN,
  signer: values.meshConfig.defaultConfig.proxyMetadata.ISTIO_META_CERT_SIGNER,
};

let cluster: Cluster;
let kubeconfig: string;
before(async () => {
  cluster = await startCluster();
  for (const name of ['sandbox', ISTIOD.namespace]) await cluster.createNamespace(name);
  await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my-issuer' }, ROOT);
  await cluster.createCaIssuer({ name: 'mesh' }, ROOT);
  await cluster.createCaIssuer({ name: 'intermediate' }, BELOW_ROOT);
  await writeFile(join(cluster.controlPlane.dir, 'root.pem'), ROOT.certificate);
  kubeconfig = await createAccount(cluster, ISTIOD, rightsOfIstiod());
});
after(() => cluster?.stop());

/** What Istio's chart grants for `global.certSigners`: no list permission. */
function rightsOfIstiod(): readonly PolicyRule[] {
  const apiGroups = ['certificates.k8s.io'];
  const resources = ['', '/approval', '/status'].map(part => `certificatesigningrequests${part}`);
  const others = ['clusterissuers.cert-manager.io/intermediate', 'clusterissuers.cert-manager.io/none'];
  const resourceNames = [...values.global.certSigners, ...others, 'issuers.cert-manager.io/sandbox.my-issuer'];
  return [
    { apiGroups, resources, verbs: ['update', 'create', 'get', 'delete', 'watch'] },
    { apiGroups, resources: ['signers'], resourceNames, verbs: ['approve'] },
  ];
}

/** Throws unless openssl builds a chain from the leaf to one of the roots. */
async function verify(chain: string, roots: string): Promise<void> {
  const [leaf = '', ...untrusted] = splitPem(chain);
  const others = untrusted.length > 0 ? ['-untrusted', 'untrusted'] : [];
  await openssl(['verify', '-CAfile', 'roots', ...others, 'leaf'], { leaf, roots, untrusted: untrusted.join('') });
}

function askAsIstiod(flags: Readonly<Record<string, string>>): Promise<ClientAnswer> {
  return runCsrClient('istiod', { kubeconfig, ...flags });
}

function configuredRoot(): string {
  return join(cluster.controlPlane.dir, 'root.pem');
}

test('the values in the documentation use one signer name', () => {
  const signerName = `${CONFIGURED['signer-domain']}/${CONFIGURED.signer}`;
  const { caCertificates } = values.meshConfig;
  assert.deepEqual(
    [values.global.certSigners, caCertificates.map(({ certSigners }) => certSigners)],
    [[signerName], [[signerName]]],
  );
});

for (const subject of ['proxy', 'ztunnel']) {
  test(`the request of a ${subject} is signed for its identity and 24 hours, and verifies with the configured root`, async () => {
    const {
      error,
      chain = '',
      root = '',
      request,
    } = await askAsIstiod({ ...CONFIGURED, root: configuredRoot(), subject });
    assert.equal(error, undefined);
    await verify(chain, root);
    const { subjectAltName, validFromDate, validToDate } = new X509Certificate(chain);
    assert.equal(subjectAltName, 'URI:spiffe://cluster.local/ns/default/sa/app');
    assert.equal(validToDate.getTime() - validFromDate.getTime(), 86_400_000);
    assert.equal((await cluster.api.call({ path: `${CSRS}/${request}` })).status, 404);
  });
}

test('an unconfigured root CA is not found, since the chain ends below it', async () => {
  const { error } = await askAsIstiod(CONFIGURED);
  assert.equal(error, 'failed to find root cert from either signed cert-chain or mesh config');
  assert.ok(PAGE.replaceAll(/\s+/g, ' ').includes(error));
});

test('an unconfigured intermediate CA is treated as the root', async () => {
  const { error, root = '' } = await askAsIstiod({ ...CONFIGURED, signer: 'intermediate' });
  assert.equal(error, undefined);
  assert.equal(new X509Certificate(root).fingerprint256, new X509Certificate(BELOW_ROOT.certificate).fingerprint256);
});

test('a namespaced Issuer is denied with the missing Role until istiod may reference it', async () => {
  const { error = '' } = await askAsIstiod({ ...NAMESPACED, root: configuredRoot() });
  assert.match(
    error,
    /^failed to create CSR: admission webhook "requests\.countersign\.io" denied the request: Requester may not/,
  );
  assert.match(error, /kind: Role\n/);
  await paste(cluster.controlPlane, readBlock(PAGE, 'Istio', 'sh'));
  const permitted = await cluster.eventually('istiod may reference', async () => {
    const answer = await askAsIstiod({ ...NAMESPACED, root: configuredRoot() });
    return answer.error === undefined ? answer : undefined;
  });
  await verify(permitted.chain ?? '', ROOT.certificate);
});

test('a missing issuer causes a warning, a timeout, and an event that outlives the CSR', async () => {
  const { error, log, request = '' } = await askAsIstiod({ ...CONFIGURED, signer: 'none', patience: '3s' });
  assert.match(log, /ClusterIssuer none does not exist; the request waits until it is created/);
  assert.equal(error, `timeout when watching CSR ${request}`);
  const events = ['get', 'events', '-n', 'default', '--field-selector', `involvedObject.name=${request}`];
  assert.match(await cluster.kubectl(events), /IssuerNotFound/);
});

test('the root is at the end of the chain with policy.rootInChain', async () => {
  await cluster.installation.running('signer')[0]?.child.stop(10_000);
  await cluster.installation.start('signer', ['--root-in-chain=true']);
  const { error, root = '' } = await askAsIstiod(CONFIGURED);
  assert.equal(error, undefined);
  assert.equal(new X509Certificate(root).fingerprint256, new X509Certificate(ROOT.certificate).fingerprint256);
});
