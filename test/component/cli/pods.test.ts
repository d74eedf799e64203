// `kubectl countersign explain pod/NAME` and `pending --pods` against a fake API server: what they read, and what
// they say.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { readyIssuer } from '../../support/cli/facts.ts';
import { FakeCluster, forbidden, refusal } from '../../support/cli/fake-cluster.ts';

const REQUESTS = '/apis/certificates.k8s.io/v1/namespaces/shop/podcertificaterequests';
const ALL_REQUESTS = '/apis/certificates.k8s.io/v1/podcertificaterequests';
const EVENTS = '/api/v1/namespaces/shop/events';
const ISSUER = '/apis/cert-manager.io/v1/clusterissuers/people';
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const allowed = (is: boolean) => ({ body: { status: { allowed: is } } });

interface Written {
  readonly name?: string;
  readonly pod?: string;
  readonly created?: string;
  readonly signerName?: string;
  readonly condition?: object;
}

function podRequest(written: Written = {}) {
  const { name = 'req-1', pod = 'web-0', created = '2026-11-30T12:00:00Z', condition } = written;
  const spec = {
    signerName: written.signerName ?? 'clusterissuers.cert-manager.io/people',
    podName: pod,
    podUID: `uid-of-${pod}`,
    serviceAccountName: 'web',
    serviceAccountUID: 's',
    nodeName: 'node-1',
    nodeUID: 'n',
    maxExpirationSeconds: 86_400,
    unverifiedUserAnnotations: { 'pods.countersign.io/dns-names': 'shop.example.com' },
    stubPKCS10Request: '',
  };
  return {
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, creationTimestamp: created },
    spec,
    ...(condition && { status: { conditions: [condition] } }),
  };
}

const DENIED = {
  type: 'Denied',
  status: 'True',
  reason: 'UnsupportedKeyType',
  message: 'The key is of an unsupported type',
};

let cluster: FakeCluster;
before(async () => {
  cluster = await FakeCluster.start();
});
after(() => cluster?.close());
beforeEach(() => {
  cluster.reset();
  cluster.on(`GET ${REQUESTS}`, { body: { items: [podRequest()] } });
  cluster.on(`GET ${ALL_REQUESTS}`, { body: { items: [podRequest()] } });
  cluster.on(`GET ${EVENTS}`, { body: { items: [] } });
  cluster.on('GET /api/v1/events', { body: { items: [] } });
  cluster.on(`GET ${ISSUER}`, { body: readyIssuer() });
  cluster.on(`POST ${REVIEWS}`, allowed(true));
});

const explain = (name = 'pod/web-0') => cluster.run(['explain', name, '-n', 'shop']);
const event = (reason: string, uid = 'uid-of-req-1') => ({
  type: 'Warning',
  reason,
  message: `what ${reason} says`,
  lastTimestamp: '2026-11-30T12:00:01Z',
  involvedObject: { uid },
});

describe('kubectl countersign explain pod/NAME', () => {
  test('kubectl countersign explain pod/NAME shows who asks for what, and the checks', async () => {
    const { code, printed } = await explain();
    assert.equal(code, 0);
    for (const line of [
      /^PodCertificateRequest shop\/req-1$/m,
      /Requester +system:serviceaccount:shop:web$/m,
      /Annotations +pods\.countersign\.io\/dns-names: shop\.example\.com$/m,
      /Issuer +✓ ClusterIssuer people \(ca\) is Ready/,
      /Permission +✓ the requester may reference the issuer/,
      /the signer has not signed it yet/,
    ]) {
      assert.match(printed(), line);
    }
  });

  test('kubectl countersign explain pod/NAME asks for the permission of the ServiceAccount, for a ClusterIssuer too, and has the commands to grant it', async () => {
    cluster.on(`POST ${REVIEWS}`, allowed(false));
    const { code, printed } = await explain();
    const review = cluster.sent.find(({ call }) => call === `POST ${REVIEWS}`) ?? assert.fail();
    const { spec } = review.body as { spec: { user: string } };
    assert.equal(spec.user, 'system:serviceaccount:shop:web');
    assert.match(printed(), /Why it has no certificate \(DeniedReference\)/);
    assert.match(printed(), /kubectl create clusterrolebinding|ClusterRole/);
    // It waits, and is signed once the permission is granted.
    assert.equal(code, 0);
  });

  test('kubectl countersign explain pod/NAME shows the newest request for each signer', async () => {
    const items = [
      podRequest({ name: 'old', created: '2026-11-30T11:00:00Z' }),
      podRequest({ name: 'new' }),
      podRequest({ name: 'other', signerName: 'issuers.cert-manager.io/shop.db' }),
      podRequest({ name: 'not-mine', pod: 'web-1' }),
    ];
    cluster.on(`GET ${REQUESTS}`, { body: { items } });
    const { printed } = await explain();
    assert.deepEqual(printed().match(/^PodCertificateRequest .*/gm), [
      'PodCertificateRequest shop/new',
      'PodCertificateRequest shop/other',
    ]);
  });

  test('kubectl countersign explain pod/NAME names the cause in the last event of the request', async () => {
    const items = [event('CaEndsTooSoon'), event('NameNotAllowed'), event('SecretMissing', 'other')];
    cluster.on(`GET ${EVENTS}`, { body: { items } });
    const { printed } = await explain();
    assert.match(printed(), /Why it has no certificate \(NameNotAllowed\)\n +what NameNotAllowed says/);
    assert.doesNotMatch(printed(), /SecretMissing/);
  });

  test('kubectl countersign explain pod/NAME says that a denial is final, with the exit code 3', async () => {
    cluster.on(`GET ${REQUESTS}`, { body: { items: [podRequest({ condition: DENIED })] } });
    const { code, printed } = await explain('podcertificaterequest/req-1');
    assert.equal(code, 3);
    assert.match(printed(), /The key is of an unsupported type\n +This is final for the pod\. Set a keyType/);
  });

  for (const type of ['acme', 'selfSigned', 'vault', 'venafi']) {
    test(`kubectl countersign explain pod/NAME says that an issuer of type ${type} cannot sign requests of pods`, async () => {
      cluster.on(`GET ${ISSUER}`, { body: readyIssuer({ [type]: {} }) });
      const { printed } = await explain();
      assert.match(printed(), /Why it has no certificate \(IssuerTypeUnsupported\)/);
      assert.match(printed(), new RegExp(`people is of type ${type}, which cannot sign requests of pods`));
      assert.doesNotMatch(printed(), /delegation|another signer/);
    });
  }

  test('kubectl countersign explain pod/NAME says what another signer cannot do', async () => {
    cluster.on(`GET ${REQUESTS}`, { body: { items: [podRequest({ signerName: 'example.com/x' })] } });
    assert.match((await explain()).printed(), /example\.com\/x belongs to another signer/);
  });

  test('kubectl countersign explain pod/NAME says what is missing: the request, the API, the permission', async () => {
    assert.match((await explain('pod/gone')).complaints(), /pod "gone" has no PodCertificateRequest in namespace shop/);
    cluster.on(`GET ${REQUESTS}`, refusal(404, 'NotFound', 'the server could not find the requested resource'));
    assert.match((await explain()).complaints(), /has no PodCertificateRequests\n.*1\.37/);
    cluster.on(`GET ${REQUESTS}`, forbidden('list podcertificaterequests'));
    const { code, complaints } = await explain();
    assert.equal(code, 1);
    assert.match(complaints(), /cannot list podcertificaterequests/);
  });
});

describe('kubectl countersign pending --pods', () => {
  test('kubectl countersign pending --pods lists the pods that wait, oldest first, and what for, without asking for permissions', async () => {
    const items = [
      podRequest({ name: 'b', pod: 'web-1' }),
      podRequest({ name: 'a', created: '2026-11-30T11:00:00Z' }),
      podRequest({ name: 'done', pod: 'done-0', condition: DENIED }),
    ];
    cluster.on(`GET ${ALL_REQUESTS}`, { body: { items } });
    cluster.on('GET /api/v1/events', { body: { items: [event('SecretMissing', 'uid-of-b')] } });
    const { code, printed } = await cluster.run(['pending', '--pods']);
    assert.equal(code, 0);
    const people = 'clusterissuers\\.cert-manager\\.io/people';
    assert.match(
      printed(),
      new RegExp(
        `^NAMESPACE +POD +AGE +SERVICE ACCOUNT +SIGNER NAME +WAITS FOR\\nshop +web-0 +\\S+ +web +${people} +signer\\nshop +web-1 .* SecretMissing\\n$`,
      ),
    );
    assert.ok(cluster.sent.every(({ call }) => call.startsWith('GET ')));
  });

  test('kubectl countersign pending --pods lists one namespace with -n, and prints everything with -o json', async () => {
    const { printed } = await cluster.run(['pending', '--pods', '-n', 'shop', '-o', 'json']);
    const [item] = JSON.parse(printed()).items;
    assert.deepEqual([item.pod, item.state, item.requester], ['web-0', 'Pending', 'system:serviceaccount:shop:web']);
    assert.ok(cluster.sent.some(({ call }) => call.startsWith(`GET ${REQUESTS}`)));
  });

  test('kubectl countersign pending --pods says that no pod waits', async () => {
    cluster.on(`GET ${ALL_REQUESTS}`, { body: { items: [] } });
    assert.match((await cluster.run(['pending', '--pods'])).complaints(), /No pod waits for a certificate/);
  });
});
