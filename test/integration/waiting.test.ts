// Requests created before what they need: each is signed within two seconds of the last missing object and gets one
// event per reason. Also, which controller writes the Ready condition of issuers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import { createRoot, openssl } from '../support/certificate-checks.ts';
import { type Cluster, type IssuerPlace, secretData, startCluster } from '../support/cluster.ts';
import { buildRequest } from '../support/csr-builder.ts';
import { readPki } from '../support/pki.ts';
import {
  approve,
  createCsr,
  createThenApprove,
  type Issued,
  issue,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';

/** The promised time from the last missing object to the certificate. */
const SIGNED_WITHIN_MS = 2_000;
/** Longer than one reconcile, so that a waiting request is really waiting. */
const SETTLED_MS = 300;
const KEY_SECRET = 'experimental.cert-manager.io/private-key-secret-name';
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const ISSUED = 'Normal CertificateIssued: Certificate fetched from issuer successfully';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

/** Waits until these events are recorded for the request, and a little longer. */
async function whenRecorded(name: string, events: readonly string[]): Promise<void> {
  const csr = await cluster.api.get<Issued['csr']>(`/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}`);
  assert.deepEqual(await cluster.eventsOf(csr, events.length), events.toSorted());
  await sleep(SETTLED_MS);
  assert.equal(csr.status?.certificate, undefined);
}

/** Provides the last missing object, and checks that the certificate follows within the promised time. */
async function signedAfter(name: string, lastPiece: () => Promise<unknown>): Promise<Issued> {
  await lastPiece();
  const start = performance.now();
  const issued = await waitUntilIssued(cluster, name);
  const took = Math.round(performance.now() - start);
  assert.ok(took <= SIGNED_WITHIN_MS, `signed ${took} ms after the last missing piece`);
  return issued;
}

function notReady({ namespace, name }: IssuerPlace): string {
  const shown = namespace === undefined ? `ClusterIssuer /${name}` : `Issuer ${namespace}/${name}`;
  return `Warning IssuerNotReady: Referenced ${shown} does not have a Ready status condition`;
}

function secretPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

async function issuerOf({ chain }: Issued): Promise<string> {
  return (await openssl(['x509', '-in', 'pem', '-noout', '-issuer', '-nameopt', 'RFC2253'], { pem: chain })).trim();
}

describe('waiting', { concurrency: 4 }, () => {
  test('a request that nobody approves has an event that says so', async () => {
    const csr = await createCsr(cluster, { name: 'unapproved', signerName: 'clusterissuers.cert-manager.io/none' });
    assert.deepEqual(await cluster.eventsOf(csr, 1), [
      'Normal WaitingApproval: Waiting for the Approved condition before issuing',
    ]);
  });

  const places: readonly IssuerPlace[] = [{ namespace: 'early', name: 'ca' }, { name: 'early' }];
  for (const place of places) {
    const kind = place.namespace === undefined ? 'ClusterIssuer' : 'Issuer';
    const { namespace = 'countersign', name: issuer } = place;

    test(`a request waits for its ${kind}, which waits for its Secret`, async () => {
      if (place.namespace !== undefined) await cluster.createNamespace(place.namespace);
      const name = `early-${kind.toLowerCase()}`;
      const resource = place.namespace === undefined ? 'clusterissuers' : 'issuers';
      const path = place.namespace === undefined ? issuer : `${namespace}.${issuer}`;
      const shown = `${kind} ${place.namespace ?? ''}/${issuer}`;
      await createThenApprove(cluster, { name, signerName: `${resource}.cert-manager.io/${path}` });
      const notFound = `Warning IssuerNotFound: Referenced ${shown} not found`;
      await whenRecorded(name, [notFound]);

      await cluster.createIssuer(place, { ca: { secretName: issuer } });
      await whenRecorded(name, [notFound, notReady(place)]);
      const missing = `False ErrGetKeyPair: Error getting keypair for CA issuer: secrets "${issuer}" not found`;
      assert.equal(await cluster.readinessOf(place), missing);

      const { csr } = await signedAfter(name, () => cluster.createSecret(namespace, issuer, secretData(ROOT)));
      assert.equal(await cluster.readinessOf(place), 'True KeyPairVerified: Signing CA verified');
      assert.deepEqual(await cluster.eventsOf(csr, 3), [ISSUED, notFound, notReady(place)].toSorted());
      assert.deepEqual(await cluster.eventsOf(await cluster.getIssuer(place), 3, place.namespace), [
        'Normal KeyPairVerified: Signing CA verified',
        `Warning ErrGetKeyPair: Error getting keypair for CA issuer: secrets "${issuer}" not found`.replace(
          'early',
          issuer,
        ),
        `Warning ErrInitIssuer: Error initializing issuer: secrets "${issuer}" not found`,
      ]);
    });
  }

  test('a request waits for an Issuer whose Secret exists', async () => {
    const namespace = await cluster.createNamespace('late');
    await cluster.createSecret(namespace, 'ca', secretData(ROOT));
    await createThenApprove(cluster, { name: 'late', signerName: 'issuers.cert-manager.io/late.ca' });
    await whenRecorded('late', ['Warning IssuerNotFound: Referenced Issuer late/ca not found']);
    await signedAfter('late', () => cluster.createIssuer({ namespace, name: 'ca' }, { ca: { secretName: 'ca' } }));
  });

  const faults = [
    {
      what: 'without a key',
      data: { 'tls.crt': ROOT.certificate },
      error: `Failed to parse signing CA keypair from secret fixed-0/ca: no private key data for "tls.key" in secret 'fixed-0/ca'`,
    },
    {
      what: 'with a mismatched key',
      data: { 'tls.crt': ROOT.certificate, 'tls.key': readPki('keys/p256') },
      error:
        "Failed to parse signing CA keypair from secret fixed-1/ca: error creating x509 certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
    },
  ];
  for (const [index, { what, data, error }] of faults.entries()) {
    test(`a request waits until a Secret ${what} is fixed`, async () => {
      const place = { namespace: await cluster.createNamespace(`fixed-${index}`), name: 'ca' };
      const signerName = await cluster.createCaIssuer(place, ROOT);
      await cluster.whenReady(place);
      await cluster.api.remove(secretPath(place.namespace, 'ca'));
      await cluster.createSecret(place.namespace, 'ca', data);
      // A cached Secret younger than a second would still sign.
      await sleep(1_000);
      await createThenApprove(cluster, { name: `fixed-${index}`, signerName });
      const expected = [...(index === 0 ? [notReady(place)] : []), `Warning SecretInvalidData: ${error}`];
      await whenRecorded(`fixed-${index}`, expected);
      const correct = () => cluster.api.patch(secretPath(place.namespace, 'ca'), { stringData: secretData(ROOT) });
      const { csr } = await signedAfter(`fixed-${index}`, correct);
      assert.deepEqual(await cluster.eventsOf(csr, expected.length + 1), [ISSUED, ...expected].toSorted());
    });
  }

  test('a request waits until a deleted Secret is recreated', async () => {
    const place = { namespace: await cluster.createNamespace('deleted'), name: 'ca' };
    const signerName = await cluster.createCaIssuer(place, ROOT);
    await cluster.whenReady(place);
    await cluster.api.remove(secretPath('deleted', 'ca'));
    await sleep(1_000);
    await createThenApprove(cluster, { name: 'deleted', signerName });
    const missing = 'Warning SecretMissing: Referenced secret deleted/ca not found';
    // The deletion is noticed when the Secret is needed; from then on the issuer is not Ready either.
    await whenRecorded('deleted', [missing, notReady(place)]);
    const isUnready = async () => ((await cluster.readinessOf(place))?.startsWith('False') ? true : undefined);
    await cluster.eventually('the issuer is no longer Ready', isUnready);
    await signedAfter('deleted', () => cluster.createSecret('deleted', 'ca', secretData(ROOT)));
    await cluster.whenReady(place);
  });

  test('a self-signed request waits until the Secret with its key exists and is valid', async () => {
    const namespace = await cluster.createNamespace('own-key');
    const signerName = await cluster.createIssuer({ namespace, name: 'self' }, { selfSigned: {} });
    await cluster.whenReady({ namespace, name: 'self' });
    const key = readPki('keys/p521');
    const request = Buffer.from(readPki('requests/p521')).toString('base64');
    const annotations = { [KEY_SECRET]: 'key' };
    await createThenApprove(cluster, { name: 'own-key', signerName, request, annotations });
    const missing = 'Warning SecretNotFound: Referenced Secret own-key/key not found';
    const warned = `Warning SelfSignedKey: ${reasons.SelfSignedKey.message('own-key/key')}`;
    await whenRecorded('own-key', [missing, warned]);
    await cluster.createSecret(namespace, 'key', { 'tls.key': 'nonsense' });
    const nonsense =
      'Warning ErrorParsingKey: Failed to parse signing key from secret own-key/key: error decoding private key PEM block: no PEM data was found in given input';
    await whenRecorded('own-key', [missing, nonsense, warned]);
    await signedAfter('own-key', () =>
      cluster.api.patch(secretPath(namespace, 'key'), { stringData: { 'tls.key': key } }),
    );
  });

  test('a self-signed request approved right after its Secret got another key is signed with that key', async () => {
    const namespace = await cluster.createNamespace('new-key');
    const signerName = await cluster.createIssuer({ namespace, name: 'self' }, { selfSigned: {} });
    await cluster.whenReady({ namespace, name: 'self' });
    await cluster.createSecret(namespace, 'key', { 'tls.key': readPki('keys/p256') });
    for (const [round, key] of ['p521', 'p384', 'rsa3072', 'p256', 'p521', 'p384'].entries()) {
      const request = buildRequest([], readPki(`keys/${key}`));
      const wanted = { name: `new-key-${round}`, signerName, request, annotations: { [KEY_SECRET]: 'key' } };
      // With the former key, which the signer then remembers, the request would fail.
      await createCsr(cluster, wanted);
      await cluster.api.patch(secretPath(namespace, 'key'), { stringData: { 'tls.key': readPki(`keys/${key}`) } });
      await approve(cluster, wanted.name);
      await waitUntilIssued(cluster, wanted.name);
    }
  });

  test('an issuer with a changed type is treated as the new type', async () => {
    const place = { namespace: await cluster.createNamespace('retyped'), name: 'issuer' };
    const signerName = await cluster.createIssuer(place, {});
    await createThenApprove(cluster, { name: 'retyped', signerName });
    await whenRecorded('retyped', ['Warning IssuerTypeMissing: Referenced Issuer retyped/issuer is missing type']);
    await cluster.createSecret('retyped', 'ca', secretData(ROOT));
    const path = '/apis/cert-manager.io/v1/namespaces/retyped/issuers/issuer';
    await signedAfter('retyped', () => cluster.api.patch(path, { spec: { ca: { secretName: 'ca' } } }));
    await cluster.api.patch(path, { spec: { ca: null, selfSigned: {} } });
    const isReady = async () => ((await cluster.readinessOf(place)) === 'True IsReady: ' ? true : undefined);
    await cluster.eventually('the issuer is Ready with its new type', isReady);
    const issuer = await cluster.getIssuer(place);
    const [ready] = issuer.status?.conditions ?? [];
    assert.equal(ready?.observedGeneration, 3);
  });

  test('an issuer whose certificate is not a CA is not Ready', async () => {
    const place = { namespace: await cluster.createNamespace('no-ca'), name: 'leaf' };
    await cluster.createCaIssuer(place, { ...ROOT, certificate: readPki('certificates/not-ca') });
    const readiness = await cluster.eventually('the issuer has a Ready condition', () => cluster.readinessOf(place));
    assert.equal(readiness, 'False ErrInvalidKeyPair: Error getting keypair for CA issuer: certificate is not a CA');
  });

  test('a renewed CA signs within about a second', async () => {
    const place = { namespace: await cluster.createNamespace('rotated'), name: 'ca' };
    const signerName = await cluster.createCaIssuer(place, ROOT);
    assert.equal(await issuerOf(await issue(cluster, { name: 'rotated-0', signerName })), 'issuer=CN=root,O=Example');
    const renewed = { certificate: await createRoot(readPki('keys/p384'), 'renewed'), key: readPki('keys/p384') };
    await cluster.api.patch(secretPath('rotated', 'ca'), { stringData: secretData(renewed) });
    await sleep(1_000);
    assert.equal(await issuerOf(await issue(cluster, { name: 'rotated-1', signerName })), 'issuer=CN=renewed');
  });

  test('a request denied while it waits is never signed', async () => {
    const signerName = 'clusterissuers.cert-manager.io/denied';
    await createCsr(cluster, { name: 'denied', signerName });
    const conditions = [{ type: 'Denied', status: 'True', reason: 'Tested', message: 'by a test' }];
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests/denied';
    await cluster.api.patch(`${path}/approval`, { status: { conditions } });
    await cluster.createCaIssuer({ name: 'denied' }, ROOT);
    await cluster.whenReady({ name: 'denied' });
    await issue(cluster, { name: 'not-denied', signerName });
    const { status } = await cluster.api.get<Issued['csr']>(path);
    assert.deepEqual([status?.certificate, status?.conditions?.length], [undefined, 1]);
  });
});

describe('writer of the Ready condition of issuers', () => {
  /** Replaces the running signer; a stopped leader hands over at once. */
  async function restartSigner(issuerStatus: string): Promise<void> {
    for (const { child } of cluster.installation.running('signer')) await child.stop(10_000);
    await cluster.installation.start('signer', [`--issuer-status=${issuerStatus}`]);
  }

  /** Returns a new issuer's condition after the signer has seen the issuer and reported to its waiting request. */
  async function readinessOfNew(name: string): Promise<string | undefined> {
    const signerName = await cluster.createIssuer({ name }, { selfSigned: {} });
    await createThenApprove(cluster, { name, signerName, annotations: { [KEY_SECRET]: name } });
    const csr = await cluster.api.get<Issued['csr']>(`/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}`);
    await cluster.eventsOf(csr, 2);
    await sleep(SETTLED_MS);
    return cluster.readinessOf({ name });
  }

  test('the signer does not write Ready conditions with --issuer-status=never, and uses those of others', async () => {
    await restartSigner('never');
    assert.equal(await readinessOfNew('status-never'), undefined);
    await cluster.createSecret('countersign', 'status-never', { 'tls.key': readPki('keys/p384') });
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'IsReady', lastTransitionTime: new Date().toISOString() },
    ];
    const path = '/apis/cert-manager.io/v1/clusterissuers/status-never/status';
    await cluster.api.patch(path, { status: { conditions } });
    // Since the issuer is Ready, the fault of the request shows.
    await waitUntilFailed(cluster, 'status-never');
  });

  test('the signer writes Ready conditions with auto only if cert-manager is not running, and always with always', async t => {
    const stopCertManager = await pretendCertManager();
    t.after(stopCertManager);
    await restartSigner('auto');
    assert.equal(await readinessOfNew('status-auto'), undefined);
    await restartSigner('always');
    assert.equal(await cluster.whenReady({ name: 'status-auto' }), 'True IsReady: ');
    await cluster.createIssuer({ name: 'status-always' }, { selfSigned: {} });
    assert.equal(await cluster.whenReady({ name: 'status-always' }), 'True IsReady: ');
  });

  test('the signer writes Ready conditions with auto if the Lease of cert-manager is long expired', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cert-manager-controller';
    await cluster.api.patch(path, { spec: { renewTime: microTime(-130_000) } });
    await restartSigner('auto');
    await cluster.createIssuer({ name: 'status-outdated' }, { selfSigned: {} });
    assert.equal(await cluster.whenReady({ name: 'status-outdated' }), 'True IsReady: ');
  });

  /**
   * Creates a Lease like that of cert-manager's controller and renews it; returns a function that stops the renewal.
   */
  async function pretendCertManager(): Promise<() => Promise<void>> {
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
    const metadata = { name: 'cert-manager-controller' };
    const spec = { holderIdentity: 'cert-manager-7f9c-external-cert-manager-controller', leaseDurationSeconds: 60 };
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
    let renewed: Promise<unknown> = cluster.api.create(path, { ...lease, spec: { ...spec, renewTime: microTime(0) } });
    await renewed;
    const renew = () => cluster.api.patch(`${path}/${metadata.name}`, { spec: { renewTime: microTime(0) } });
    const timer = setInterval(() => {
      renewed = renew();
    }, 2_000);
    return async () => {
      clearInterval(timer);
      await renewed;
    };
  }

  function microTime(offsetMs: number): string {
    return new Date(Date.now() + offsetMs).toISOString().replace('Z', '000Z');
  }
});
