// Delegation to a real cert-manager: ACME issuers with Pebble, Venafi issuers with an emulator of its server. The CSR
// API is the only one that requesters use.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { formatTime } from '@countersign/common/csr.ts';
import { nameFor } from '@countersign/signer/issuers/cert-manager/certificate-request.ts';
import { createRequest, openssl } from '../support/certificate-checks.ts';
import { API, DelegatedWorld } from '../support/issuers/delegated-world.ts';
import { acmeSpec, venafiSpec } from '../support/issuers/issuer-specs.ts';
import { BLOCKED_DOMAIN } from '../support/issuers/pebble.ts';
import { readPki } from '../support/pki.ts';
import { approve, createCsr, getCsr, waitUntilFailed, waitUntilIssued } from '../support/requests.ts';

const NAMESPACE = 'countersign';
const ACME = 'clusterissuers.cert-manager.io/acme';
/** cert-manager waits a second or more between attempts. */
const ISSUED_MS = 60_000;
const DOMAINS = [
  'late.example',
  'one.example',
  BLOCKED_DOMAIN,
  'two.example',
  'three.example',
  'four.example',
  'five.example',
  'seven.example',
];

let world: DelegatedWorld;
before(async () => {
  world = await DelegatedWorld.start();
  await world.createSecrets(NAMESPACE, DOMAINS);
});
after(() => world?.stop());

async function subjectOf(chain: string): Promise<string> {
  return (await openssl(['x509', '-in', 'pem', '-noout', '-ext', 'subjectAltName'], { pem: chain })).trim();
}

/** Waits for an event of the CSR with this reason; returns its message. */
function whenReported(name: string, reason: string): Promise<string> {
  return world.cluster.eventually(
    `${name} has the event ${reason}`,
    async () => {
      const csr = await getCsr(world.cluster, name);
      const events = await world.cluster.eventsOf(csr, 1);
      return events.find(text => text.includes(` ${reason}: `));
    },
    ISSUED_MS,
  );
}

describe('delegation', { concurrency: false }, () => {
  test('without cert-manager, a CSR waits and says so; once it is installed, the certificate is issued', async () => {
    const { cluster, certManager, pebble } = world;
    await cluster.createIssuer({ name: 'acme' }, acmeSpec(pebble));
    const ready = { type: 'Ready', status: 'True', reason: 'ByHand', message: 'so that the CSR gets this far' };
    await cluster.api.patch(`${API}/clusterissuers/acme/status`, { status: { conditions: [ready] } });
    await world.request('late.example', { name: 'late', signerName: ACME });
    await whenReported('late', 'CertificateRequestNotServed');
    await certManager.start();
    const { chain } = await waitUntilIssued(cluster, 'late', ISSUED_MS);
    assert.match(await subjectOf(chain), /DNS:late\.example$/);
  });

  test('an ACME issuer issues for one CertificateRequest, which the signer created', async () => {
    await world.request('one.example', { name: 'one', signerName: ACME });
    const { chain } = await waitUntilIssued(world.cluster, 'one', ISSUED_MS);
    assert.match(await subjectOf(chain), /DNS:one\.example$/);
    await whenReported('one', 'CertificateIssued');
    const [request, ...more] = await world.certificateRequestsOf('one', NAMESPACE);
    assert.deepEqual(more, []);
    assert.equal(request?.spec.username, 'system:serviceaccount:countersign:countersign-signer');
  });

  test('a domain that the ACME server rejects fails the CSR with OrderFailed', async () => {
    await world.request(BLOCKED_DOMAIN, { name: 'blocked', signerName: ACME });
    const csr = await waitUntilFailed(world.cluster, 'blocked');
    const failed = csr.status?.conditions?.find(({ type }) => type === 'Failed');
    assert.equal(failed?.reason, 'OrderFailed');
    assert.match(failed?.message ?? '', /^Failed to wait for order resource .* to become ready: order is in "errored"/);
  });

  test('a Venafi issuer of a namespace issues', async () => {
    const { cluster, tpp } = world;
    const namespace = await cluster.createNamespace('sandbox');
    await world.createSecrets(namespace, []);
    const signerName = await cluster.createIssuer({ namespace, name: 'tpp' }, venafiSpec(tpp));
    await cluster.whenReady({ namespace, name: 'tpp' }, ISSUED_MS);
    await world.request('venafi.example', { name: 'venafi', signerName });
    const { chain } = await waitUntilIssued(cluster, 'venafi', ISSUED_MS);
    assert.match(await subjectOf(chain), /DNS:venafi\.example$/);
  });

  test('a CertificateRequest that nobody created for Countersign is never used', async () => {
    const { cluster } = world;
    const request = await createRequest(
      readPki('keys/p256'),
      'two.example',
      '-addext',
      'subjectAltName=DNS:two.example',
    );
    const csr = await createCsr(cluster, { name: 'two', signerName: ACME, request });
    const place = await forge(csr.metadata, request);
    await approve(cluster, 'two');
    const message = await whenReported('two', 'CertificateRequestForged');
    assert.ok(message.includes(`${place} exists`), message);
    await waitUntilIssued(cluster, 'two', ISSUED_MS);
    const used = (await world.certificateRequestsOf('two', NAMESPACE)).filter(({ spec }) => spec.username !== 'eve');
    assert.equal(used.length, 1);
  });

  test('a CertificateRequest that is deleted is created again', async () => {
    const { cluster, certManager } = world;
    await certManager.stopControllers();
    await world.request('three.example', { name: 'three', signerName: ACME });
    const first = await world.whenCreated('three', NAMESPACE);
    await cluster.api.remove(`${API}/namespaces/${NAMESPACE}/certificaterequests/${first.metadata.name}`);
    await cluster.eventually('there is another one', async () => {
      const [again] = await world.certificateRequestsOf('three', NAMESPACE);
      return again !== undefined && again.metadata.uid !== first.metadata.uid ? again : undefined;
    });
    await certManager.startControllers();
    await waitUntilIssued(cluster, 'three', ISSUED_MS);
  });

  test('without an approval, a CSR waits and says who may approve; a denial fails it', async () => {
    const { cluster, certManager } = world;
    await certManager.stopControllers();
    await world.request('five.example', { name: 'five', signerName: ACME });
    await world.request('six.example', { name: 'six', signerName: ACME });
    await decideOn('six', { type: 'Denied', message: 'not today' });
    const denied = await waitUntilFailed(cluster, 'six');
    assert.match(
      denied.status?.conditions?.find(({ type }) => type === 'Failed')?.message ?? '',
      /^CertificateRequest countersign\/six-[0-9a-f]+ was denied: not today$/,
    );
    const message = await whenReported('five', 'CertificateRequestNotApproved');
    assert.match(message, /"approve" on signers\.cert-manager\.io "clusterissuers\.cert-manager\.io\/acme"/);
    await decideOn('five', { type: 'Approved', message: 'by hand' });
    await certManager.startControllers();
    await waitUntilIssued(cluster, 'five', ISSUED_MS);
  });

  test('a signer that is killed before the certificate is there leaves one CertificateRequest', async () => {
    const { cluster, certManager } = world;
    await certManager.stopControllers();
    await world.request('seven.example', { name: 'seven', signerName: ACME });
    const created = await world.whenCreated('seven', NAMESPACE);
    const [signer] = cluster.installation.running('signer');
    process.kill(signer?.child.pid ?? assert.fail('no signer is running'), 'SIGKILL');
    await signer?.child.ended;
    await certManager.startControllers();
    await cluster.installation.start('signer');
    await waitUntilIssued(cluster, 'seven', ISSUED_MS);
    const all = await world.certificateRequestsOf('seven', NAMESPACE);
    assert.deepEqual(
      all.map(({ metadata }) => metadata.uid),
      [created.metadata.uid],
    );
  });

  test('while the webhook of cert-manager is down, a CSR waits and says so', async () => {
    const { cluster, certManager } = world;
    await certManager.stopWebhook();
    await world.request('four.example', { name: 'four', signerName: ACME });
    const message = await whenReported('four', 'CertificateRequestNotCreated');
    assert.match(message, /failed calling webhook/);
    await certManager.startWebhook();
    await waitUntilIssued(cluster, 'four', ISSUED_MS);
  });
});

/** Decides about the CertificateRequest of a CSR, as an approver does. */
async function decideOn(csrName: string, condition: { type: 'Approved' | 'Denied'; message: string }): Promise<void> {
  const { metadata } = await world.whenCreated(csrName, NAMESPACE);
  // In whole seconds: cert-manager writes the condition again, and its webhook rejects any difference.
  const lastTransitionTime = formatTime(new Date());
  const conditions = [{ ...condition, status: 'True', reason: 'Tested', lastTransitionTime }];
  const path = `${API}/namespaces/${NAMESPACE}/certificaterequests/${metadata.name}/status`;
  await world.cluster.api.patch(path, { status: { conditions } });
}

/** What an editor of the namespace can do: take the name, with the CSR as owner and everything else as expected. */
async function forge({ name, uid }: { name: string; uid: string }, request: string): Promise<string> {
  const metadata = {
    name: nameFor(name, uid, 1),
    labels: { 'countersign.io/delegated': 'true' },
    ownerReferences: [
      { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', name, uid, controller: true },
    ],
  };
  const spec = {
    request,
    issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'acme' },
    usages: ['digital signature', 'key encipherment'],
    duration: '2160h0m0s',
    isCA: false,
    username: 'system:serviceaccount:countersign:countersign-signer',
  };
  const body = { apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest', metadata, spec };
  const path = `${API}/namespaces/${NAMESPACE}/certificaterequests`;
  const as = { user: 'eve', groups: ['system:masters'] };
  const created = await world.cluster.api.do<{ spec: { username: string } }>({ method: 'POST', path, body, as });
  assert.equal(created.spec.username, 'eve');
  return `${NAMESPACE}/${metadata.name}`;
}
