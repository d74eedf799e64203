// `status`, `ca` and the completion against a fake API server.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { readyIssuer } from '../../support/cli/facts.ts';
import { FakeCluster, forbidden } from '../../support/cli/fake-cluster.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { readPki } from '../../support/pki.ts';
import { CSRS } from '../../support/requests.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/countersign/deployments';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/countersign/leases/countersign-signer';
const ISSUERS = '/apis/cert-manager.io/v1/issuers';
const CLUSTER_ISSUERS = '/apis/cert-manager.io/v1/clusterissuers';
const ISSUER = '/apis/cert-manager.io/v1/namespaces/sandbox/issuers/my-ca';
const SECRET = '/api/v1/namespaces/sandbox/secrets/my-ca';

const root = readPki('certificates/root');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const issuer = { ...readyIssuer(), metadata: { name: 'my-ca', namespace: 'sandbox' } };

function configuration(webhook: object = {}) {
  const clientConfig = { caBundle: base64(root), service: { namespace: 'countersign', name: 'countersign-webhook' } };
  return { metadata: { name: 'x' }, webhooks: [{ name: 'requests.countersign.io', clientConfig, ...webhook }] };
}

function deployment(component: string, readyReplicas: number) {
  const labels = { 'app.kubernetes.io/component': component };
  return { metadata: { name: `countersign-${component}`, labels }, spec: { replicas: 2 }, status: { readyReplicas } };
}

let cluster: FakeCluster;
before(async () => {
  cluster = await FakeCluster.start();
});
after(() => cluster?.close());
beforeEach(() => {
  cluster.reset();
  cluster.on(`GET ${CONFIGURATIONS}`, { body: { items: [configuration()] } });
  cluster.on(`GET ${DEPLOYMENTS}`, { body: { items: [deployment('webhook', 2), deployment('signer', 2)] } });
  cluster.on(`GET ${LEASE}`, {
    body: { spec: { holderIdentity: 'signer-1', renewTime: new Date().toISOString(), leaseDurationSeconds: 15 } },
  });
  cluster.on(`GET ${ISSUERS}`, { body: { items: [issuer] } });
  cluster.on(`GET ${CLUSTER_ISSUERS}`, {
    body: { items: [{ ...readyIssuer({ acme: {} }), metadata: { name: 'acme' } }] },
  });
  cluster.on(`GET ${ISSUER}`, { body: issuer });
  cluster.on(`GET ${SECRET}`, { body: { data: { 'tls.crt': base64(root), 'tls.key': base64('the key') } } });
});

describe('kubectl countersign status', () => {
  test('exits with 0 if everything works, and leaves issuers of other signers out', async () => {
    const { code, printed } = await cluster.run(['status']);
    assert.equal(code, 0, printed());
    assert.match(printed(), /webhook +✓ Service countersign\/countersign-webhook\n[^]*caBundle +✓ expires at 2126/);
    assert.match(printed(), /signer replicas +✓ .*2 of 2 replicas ready/);
    assert.match(printed(), /leader +✓ signer-1 renewed the Lease/);
    assert.match(printed(), /Issuer sandbox\/my-ca +✓ Ready; its CA expires at 2126/);
    assert.doesNotMatch(printed(), /acme/);
  });

  const faults = [
    [
      'no webhook configuration',
      `GET ${CONFIGURATIONS}`,
      { items: [] },
      /✗ no ValidatingWebhookConfiguration has requests\.countersign\.io/,
    ],
    [
      'an empty caBundle',
      `GET ${CONFIGURATIONS}`,
      { items: [configuration({ clientConfig: {} })] },
      /caBundle +✗ empty/,
    ],
    [
      'no ready replica',
      `GET ${DEPLOYMENTS}`,
      { items: [deployment('webhook', 0), deployment('signer', 2)] },
      /✗ .*0 of 2 replicas/,
    ],
    ['no leader', `GET ${LEASE}`, { spec: {} }, /✗ no signer holds the Lease/],
    [
      'a leader that stopped',
      `GET ${LEASE}`,
      { spec: { holderIdentity: 'x', renewTime: '2026-01-01T00:00:00.000000Z' } },
      /✗ x has not renewed the Lease for \d+d/,
    ],
    ['an issuer that is not Ready', `GET ${ISSUERS}`, { items: [{ ...issuer, status: {} }] }, /✗ not Ready/],
  ] as const;
  for (const [what, call, body, message] of faults) {
    test(`exits with 1 for ${what}`, async () => {
      cluster.on(call, { body });
      const { code, printed } = await cluster.run(['status']);
      assert.equal(code, 1);
      assert.match(printed(), message);
    });
  }

  test('kubectl countersign status warns of a webhook that fails open, and of what may not be read', async () => {
    cluster.on(`GET ${CONFIGURATIONS}`, { body: { items: [configuration({ failurePolicy: 'Ignore' })] } });
    cluster.on(`GET ${DEPLOYMENTS}`, forbidden('list deployments'));
    cluster.on(`GET ${SECRET}`, forbidden('get secrets'));
    const { code, printed } = await cluster.run(['status']);
    assert.equal(code, 0);
    assert.match(
      printed(),
      /! .*failurePolicy Ignore[^]*! you may not list deployments[^]*you may not read its Secret/,
    );
  });

  test('kubectl countersign status prints the findings with -o json', async () => {
    const { findings } = JSON.parse((await cluster.run(['status', '-o', 'json'])).printed());
    assert.deepEqual(findings[0], { what: 'webhook', state: 'ok', text: 'Service countersign/countersign-webhook' });
  });
});

describe('kubectl countersign ca', () => {
  test('kubectl countersign ca prints the root of the Secret, and never its key', async () => {
    const { code, printed, complaints } = await cluster.run(['ca', 'my-ca', '-n', 'sandbox']);
    assert.equal(code, 0);
    assert.equal(printed(), root);
    assert.match(complaints(), /# O=Example,CN=root, expires at 2126[^]*# from Secret sandbox\/my-ca/);
  });

  test('kubectl countersign ca prints the CA of a signed CSR for users who may not read the Secret', async () => {
    cluster.on(`GET ${SECRET}`, forbidden('get secrets'));
    const annotations = { 'experimental.cert-manager.io/ca': base64(`\u001b[2J${root}`) };
    cluster.on(`GET ${CSRS}`, { body: { items: [buildCsr({ annotations }), buildCsr({ name: 'without' })] } });
    const { printed, complaints } = await cluster.run(['ca', 'issuers.cert-manager.io/sandbox.my-ca']);
    assert.equal(printed(), root);
    assert.match(complaints(), /from CertificateSigningRequest jane/);
  });

  test('kubectl countersign ca says so if the CA is not known, or there is none', async () => {
    cluster.on(`GET ${SECRET}`, forbidden('get secrets'));
    cluster.on(`GET ${CSRS}`, { body: { items: [] } });
    const unknown = await cluster.run(['ca', 'my-ca', '-n', 'sandbox']);
    cluster.on(`GET ${ISSUER}`, { body: { ...issuer, spec: { selfSigned: {} } } });
    const none = await cluster.run(['ca', 'my-ca', '-n', 'sandbox']);
    const missing = await cluster.run(['ca', 'nope', '-n', 'sandbox']);
    assert.deepEqual([unknown.code, none.code, missing.code], [1, 1, 1]);
    assert.match(unknown.complaints(), /the CA of Issuer sandbox\/my-ca is not known/);
    assert.match(none.complaints(), /has no CA: it is not of type ca/);
    assert.match(missing.complaints(), /Issuer sandbox\/nope does not exist/);
  });
});

describe('the completion', () => {
  const complete = async (...words: readonly string[]) => {
    const [command = '', ...rest] = words;
    const io = await cluster.run(['__complete', command, ...rest]);
    return io.printed();
  };

  test('the completion offers commands, flags and values, in the format of kubectl', async () => {
    assert.match(await complete('app'), /^approve\tShow a CSR, ask, and approve it\n:4\n$/);
    assert.match(await complete('explain', '--file'), /^--filename\t.*\n:4\n$/);
    assert.equal(await complete('explain', '-o', ''), 'json\nyaml\n:4\n');
    assert.equal(await complete('explain', '-f', ''), ':0\n');
    assert.equal(await complete('completion', ''), 'bash\nzsh\nkubectl\n:4\n');
  });

  test('the completion prints a script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'kubectl']) {
      const { code, printed } = await cluster.run(['completion', shell]);
      assert.equal(code, 0);
      assert.match(printed(), /__complete/);
    }
    assert.equal((await cluster.run(['completion', 'fish'])).code, 2);
  });
});
