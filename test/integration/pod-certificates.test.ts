// Certificates for pods on a real API server with NodeRestriction: what a kubelet asks for and gets, what waits and
// where its reason is, and what is denied. The kubelet itself is impersonated.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { encodeSubject } from '@countersign/common/x509/general-names.ts';
import type { Caller } from '../support/api.ts';
import { type Cluster, type KubeObject, startCluster } from '../support/cluster.ts';
import { readPki } from '../support/pki.ts';
import { buildStub } from '../support/pod-request-builder.ts';
import {
  createNode,
  createPod,
  leafOf,
  type PodInput,
  type PodRequestInput,
  type PodRequestObject,
  podRequestsPath,
  request,
  tryRequest,
  whenEnded,
} from '../support/pods.ts';

/** CN=admin */
const NAME = encodeSubject('admin');
const SIGNER_NAME = 'issuers.cert-manager.io/sandbox.my-ca';
const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };
const NAMESPACE = 'team';

let cluster: Cluster;
before(async () => {
  // Pods that the policies would deny are what some of these tests are about.
  cluster = await startCluster({ values: { podCertificates: { admissionPolicies: { install: 'never' } } } });
  await cluster.createNamespace('sandbox');
  await cluster.createNamespace(NAMESPACE);
  await cluster.createCaIssuer({ namespace: 'sandbox', name: 'my-ca' }, ROOT);
  await cluster.whenReady({ namespace: 'sandbox', name: 'my-ca' });
  await createNode(cluster);
  await cluster.createReferencerRole('sandbox', 'referencer', 'my-ca');
  const subject = `--group=system:serviceaccounts:${NAMESPACE}`;
  await cluster.kubectl(['create', 'rolebinding', 'team', '-n', 'sandbox', '--role=referencer', subject]);
});
after(() => cluster?.stop());

let pods = 0;
async function startPod(input: Partial<PodInput> = {}): Promise<PodInput> {
  const pod = { namespace: NAMESPACE, name: `pod-${pods++}`, signerNames: [SIGNER_NAME], ...input };
  await createPod(cluster, pod);
  return pod;
}

async function askAndEnd(pod: PodInput, asked: Partial<PodRequestInput> = {}): Promise<PodRequestObject> {
  const made = await request(cluster, pod, { signerName: SIGNER_NAME, ...asked });
  return whenEnded(cluster, pod.namespace, made);
}

function conditionOf({ status }: PodRequestObject): string {
  const [condition] = status?.conditions ?? [];
  return `${condition?.type} ${condition?.reason}: ${condition?.message}`;
}

describe('a request of a kubelet', () => {
  test('a request of a kubelet gets a certificate with the SPIFFE ID of its ServiceAccount, valid for exactly as long as it asks', async () => {
    const pod = await startPod({ serviceAccountName: 'web' });
    const issued = await askAndEnd(pod, { maxExpirationSeconds: 3_600 });
    const leaf = leafOf(issued);
    const { notBefore = '', notAfter = '' } = issued.status!;
    assert.match(conditionOf(issued), /^Issued CertificateIssued: /);
    assert.equal(leaf.subjectAltName, 'URI:spiffe://cluster.local/ns/team/sa/web');
    assert.deepEqual([leaf.subject, leaf.ca], ['', false]);
    assert.deepEqual([Date.parse(notBefore), Date.parse(notAfter)], [+leaf.validFromDate, +leaf.validToDate]);
    assert.equal(+leaf.validToDate - +leaf.validFromDate, 3_600_000);
  });

  test('a request of a kubelet gets the DNS names that its annotations ask for', async () => {
    const pod = await startPod({ serviceAccountName: 'web' });
    const dnsNames = `web.\${POD_NAMESPACE}.svc, \${POD_NAME}.web.\${POD_NAMESPACE}.svc`;
    const issued = await askAndEnd(pod, { unverifiedUserAnnotations: { 'pods.countersign.io/dns-names': dnsNames } });
    const names = `DNS:web.team.svc, DNS:${pod.name}.web.team.svc`;
    assert.equal(leafOf(issued).subjectAltName, `URI:spiffe://cluster.local/ns/team/sa/web, ${names}`);
  });

  test('a request of a kubelet gets a SPIFFE ID in the trust domain that its issuer sets', async () => {
    const signerName = 'issuers.cert-manager.io/sandbox.prod';
    await cluster.createCaIssuer({ namespace: 'sandbox', name: 'prod' }, ROOT);
    await cluster.createReferencerRole('sandbox', 'prod', 'prod');
    const subject = `--group=system:serviceaccounts:${NAMESPACE}`;
    await cluster.kubectl(['create', 'rolebinding', 'prod', '-n', 'sandbox', '--role=prod', subject]);
    const trustDomain = 'pods.countersign.io/trust-domain=prod.example.com';
    await cluster.kubectl(['annotate', 'issuer', 'prod', '-n', 'sandbox', trustDomain]);
    const issued = await askAndEnd(await startPod({ signerNames: [signerName] }), { signerName });
    assert.equal(leafOf(issued).subjectAltName, 'URI:spiffe://prod.example.com/ns/team/sa/default');
  });

  for (const key of ['p384', 'p521', 'ed25519', 'rsa3072', 'rsa4096']) {
    test(`a request of a kubelet is signed for the key ${key}`, async () => {
      const stub = buildStub(readPki(`keys/${key}`));
      assert.match(conditionOf(await askAndEnd(await startPod(), { stub })), /^Issued/);
    });
  }

  test('a request of a kubelet is left alone when another signer serves it', async () => {
    const signerName = 'example.com/other';
    const pod = await startPod({ signerNames: [signerName] });
    const made = await request(cluster, pod, { signerName });
    await askAndEnd(await startPod());
    const found = await cluster.api.get<PodRequestObject>(`${podRequestsPath(pod.namespace)}/${made.metadata.name}`);
    assert.deepEqual([found.status, await cluster.eventsOf(made, 0, pod.namespace)], [{}, []]);
  });
});

describe('NodeRestriction', () => {
  const refusal = async (pod: PodInput, as?: Caller) => {
    const { status, body } = await tryRequest(cluster, pod, { signerName: SIGNER_NAME }, as);
    return `${status} ${body.message}`;
  };

  test('NodeRestriction rejects the request of a kubelet for a pod on another node', async () => {
    const other = { user: 'system:node:node-2', groups: ['system:nodes', 'system:authenticated'] };
    assert.match(await refusal(await startPod(), other), /^403 .*node-2/);
  });

  test('NodeRestriction rejects a request for another ServiceAccount than that of the pod', async () => {
    const pod = await startPod();
    await startPod({ serviceAccountName: 'web' });
    assert.match(await refusal({ ...pod, serviceAccountName: 'web' }), /^403 .*service ?account/i);
  });

  test('NodeRestriction rejects a request for an issuer that no volume of the pod names', async () => {
    const pod = await startPod({ signerNames: ['issuers.cert-manager.io/sandbox.another'] });
    assert.match(await refusal(pod), /^403 .*does not mount a podCertificate projected volume for signer/);
  });

  test('compares neither the lifetime nor the annotations of a request with the pod', async () => {
    const asked = {
      signerName: SIGNER_NAME,
      maxExpirationSeconds: 7_200,
      unverifiedUserAnnotations: { 'pods.countersign.io/dns-names': 'not-asked-for.team.svc' },
    };
    assert.equal((await tryRequest(cluster, await startPod(), asked)).status, 201);
  });
});

describe('what the spec of the pod makes impossible', () => {
  for (const [what, asked, expected] of [
    [
      'an unknown annotation',
      { unverifiedUserAnnotations: { 'csi.cert-manager.io/duration': '1h' } },
      /^Denied InvalidUnverifiedUserAnnotations: .*maxExpirationSeconds/,
    ],
    [
      'a malformed DNS name',
      { unverifiedUserAnnotations: { 'pods.countersign.io/dns-names': 'not_a_name' } },
      /^Denied InvalidUnverifiedUserAnnotations: .*not_a_name/,
    ],
  ] as const) {
    test(`what the spec of the pod makes impossible is denied, with an event on the pod: ${what}`, async () => {
      const pod = await startPod();
      const denied = await askAndEnd(pod, asked);
      assert.match(conditionOf(denied), expected);
      await whenTold(pod, new RegExp(`^Warning ${denied.status!.conditions![0]!.reason}: `));
    });
  }

  test('what the spec of the pod makes impossible is denied for a signer name that can name no issuer', async () => {
    const signerName = 'issuers.cert-manager.io/nodot';
    const pod = await startPod({ signerNames: [signerName] });
    assert.match(conditionOf(await askAndEnd(pod, { signerName })), /^Denied InvalidSignerName: /);
  });
});

describe('what an administrator can fix', () => {
  test('what an administrator can fix waits for the permission of the ServiceAccount, with an event on the pod, and is issued once it is granted', async () => {
    const pod = await startPod({ namespace: 'sandbox' });
    const made = await request(cluster, pod, { signerName: SIGNER_NAME });
    const expected = /^Warning DeniedReference: .*may not reference/;
    await whenTold(pod, expected);
    assert.match((await cluster.eventsOf(made, 1, 'sandbox')).join(), expected);
    const subject = '--serviceaccount=sandbox:default';
    await cluster.kubectl(['create', 'rolebinding', 'own', '-n', 'sandbox', '--role=referencer', subject]);
    assert.match(conditionOf(await whenEnded(cluster, 'sandbox', made, 20_000)), /^Issued/);
  });

  test('what an administrator can fix waits for a missing issuer, and is issued within two seconds of its creation', async () => {
    const signerName = 'issuers.cert-manager.io/sandbox.later';
    const pod = await startPod({ signerNames: [signerName] });
    const made = await request(cluster, pod, { signerName });
    await whenTold(pod, /^Warning IssuerNotFound: /);
    await cluster.createReferencerRole('sandbox', 'later', 'later');
    const subject = '--group=system:serviceaccounts:team';
    await cluster.kubectl(['create', 'rolebinding', 'later', '-n', 'sandbox', '--role=later', subject]);
    await cluster.createCaIssuer({ namespace: 'sandbox', name: 'later' }, ROOT);
    await cluster.whenReady({ namespace: 'sandbox', name: 'later' });
    assert.match(conditionOf(await whenEnded(cluster, pod.namespace, made, 2_000)), /^Issued/);
  });

  test('what an administrator can fix waits for a name that the issuer does not allow, and is issued as soon as an annotation of the issuer allows it', async () => {
    const pod = await startPod();
    const asked = { unverifiedUserAnnotations: { 'pods.countersign.io/dns-names': 'shop.example.com' } };
    const made = await request(cluster, pod, { signerName: SIGNER_NAME, ...asked });
    await whenTold(pod, /^Warning NameNotAllowed: .*shop\.example\.com/);
    const allowed = 'pods.countersign.io/allowed-dns-names=*.example.com';
    await cluster.kubectl(['annotate', 'issuer', 'my-ca', '-n', 'sandbox', allowed]);
    assert.match(conditionOf(await whenEnded(cluster, pod.namespace, made, 2_000)), /^Issued/);
    await cluster.kubectl(['annotate', 'issuer', 'my-ca', '-n', 'sandbox', 'pods.countersign.io/allowed-dns-names-']);
  });

  test('what an administrator can fix waits for a signer that can read its stub, with an event on the pod', async () => {
    const pod = await startPod();
    const made = await request(cluster, pod, { signerName: SIGNER_NAME, stub: buildStub(readPki('keys/p256'), NAME) });
    const expected = /^Warning InvalidStubRequest: stubPKCS10Request has a subject$/;
    await whenTold(pod, expected);
    const { status } = await cluster.api.get<PodRequestObject>(`${podRequestsPath(NAMESPACE)}/${made.metadata.name}`);
    assert.deepEqual(status?.conditions ?? [], []);
  });

  test('what an administrator can fix waits for an issuer whose type cannot sign for pods', async () => {
    const signerName = await cluster.createIssuer({ namespace: 'sandbox', name: 'self' }, { selfSigned: {} });
    const pod = await startPod({ signerNames: [signerName] });
    await request(cluster, pod, { signerName });
    await whenTold(pod, /^Warning IssuerTypeUnsupported: .*selfSigned/);
  });
});

/** Waits until the pod has an event that matches. */
async function whenTold({ namespace, name }: PodInput, expected: RegExp): Promise<void> {
  const pod = await cluster.api.get<KubeObject>(`/api/v1/namespaces/${namespace}/pods/${name}`);
  const events = await cluster.eventsOf(pod, 1, namespace);
  assert.match(events.join('\n'), expected);
}
