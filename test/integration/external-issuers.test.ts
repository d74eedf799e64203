// External issuers by the CSR API alone: the types that the operator lists are signed for by their own controller, with
// the permission of their own API group; all others are left to their signers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { nameFor } from '@countersign/signer/issuers/cert-manager/certificate-request.ts';
import type { Refusal } from '../support/api.ts';
import { createPolicy, policyReadiness, whenDecided } from '../support/approval/approval-cluster.ts';
import { openssl } from '../support/certificate-checks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type CertManager, createCertManager } from '../support/issuers/cert-manager.ts';
import { CLUSTER_THING, createThing, installThings, THING, ThingController } from '../support/issuers/thing-issuer.ts';
import {
  annotate,
  approve,
  CSRS,
  createCsr,
  createThenApprove,
  getCsr,
  tryCreateCsr,
  waitUntilFailed,
  waitUntilIssued,
} from '../support/requests.ts';
import { readRequest } from '../support/vectors.ts';

const NAMESPACE = 'countersign';
const API = '/apis/cert-manager.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** The signer reports after half a minute that nobody answers. */
const PATIENCE_MS = 120_000;

const TYPES = [THING, CLUSTER_THING].map(({ group, plural, kind, isNamespaced }) => ({
  name: `${plural}.${group}`,
  kind,
  scope: isNamespaced ? 'Namespaced' : 'Cluster',
}));
const EXTERNAL_FLAG = `--external-issuers=${TYPES.map(({ name, kind, scope }) => `${name}=${kind}:${scope}`).join(',')}`;
const FLAGS = ['--delegate=true', EXTERNAL_FLAG];
const COMPANY = 'thingclusterissuers.things.example.com/company';

interface CertificateRequest {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly username: string; readonly issuerRef: object };
}

let cluster: Cluster;
let certManager: CertManager | undefined;
let controller: ThingController | undefined;

before(async () => {
  cluster = await startCluster({
    values: {
      delegation: { enabled: true, externalIssuers: TYPES },
      approver: { enabled: true, signerNames: [COMPANY] },
    },
    approverFlags: [`--signer-names=${COMPANY}`, EXTERNAL_FLAG],
    signerFlags: [...FLAGS, '--issuer-status=never'],
    webhookFlags: FLAGS,
  });
  certManager = await createCertManager(cluster.controlPlane, { clusterResourceNamespace: NAMESPACE });
  // Its webhook records who created a CertificateRequest; of its controllers, only the approver runs.
  await certManager.start(['certificaterequests-approver']);
  await installThings(cluster);
  controller = await ThingController.start(cluster);
  await cluster.createNamespace('sandbox');
});

after(async () => {
  try {
    await controller?.stop();
  } finally {
    await certManager?.stop();
    await cluster?.stop();
  }
});

async function requestsOf(csrName: string): Promise<CertificateRequest[]> {
  const { items } = await cluster.api.get<{ items: CertificateRequest[] }>(`${API}/certificaterequests`);
  return items.filter(({ metadata }) => metadata.name.startsWith(`${csrName}-`));
}

function whenReported(name: string, reason: string): Promise<string> {
  return cluster.eventually(
    `${name} has the event ${reason}`,
    async () => (await cluster.eventsOf(await getCsr(cluster, name), 1)).find(text => text.includes(` ${reason}: `)),
    PATIENCE_MS,
  );
}

/** Allows the user to create CSRs, and to reference issuers of this name in sandbox, in one API group. */
async function allow(user: string, apiGroup: string, issuer: string): Promise<void> {
  const metadata = { name: `${user}-${apiGroup}` };
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  const bind = (kind: string, name: string) => ({
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects,
  });
  const reference = { apiGroups: [apiGroup], resources: ['signers'], resourceNames: [issuer], verbs: ['reference'] };
  const create = { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create'] };
  await cluster.api.create(`${RBAC}/namespaces/sandbox/roles`, { metadata, rules: [reference] });
  await cluster.api.create(`${RBAC}/namespaces/sandbox/rolebindings`, bind('Role', metadata.name));
  await cluster.api.create(`${RBAC}/clusterroles`, { metadata, rules: [create] });
  await cluster.api.create(`${RBAC}/clusterrolebindings`, bind('ClusterRole', metadata.name));
}

describe('an external issuer', { concurrency: false }, () => {
  test('of a namespace issues to a requester with the permission in its own API group', async () => {
    const signerName = await createThing(cluster, { namespace: 'sandbox', name: 'my-ca' }, { does: 'issue' });
    await allow('jane', 'things.example.com', 'my-ca');
    await cluster.eventually('jane may create the CSR', async () => {
      const { status } = await tryCreateCsr(cluster, { name: 'one', signerName }, { user: 'jane' });
      return status === 201 ? status : undefined;
    });
    await approve(cluster, 'one');
    const { chain } = await waitUntilIssued(cluster, 'one', PATIENCE_MS);
    assert.match(await openssl(['x509', '-in', 'pem', '-noout', '-issuer'], { pem: chain }), /CN ?= ?things/);
    await whenReported('one', 'CertificateIssued');
    // Its controller issues for an hour, whatever is asked.
    assert.match(await whenReported('one', 'CertificateDiffers'), /it expires /);
    const [request, ...more] = await requestsOf('one');
    assert.deepEqual(more, []);
    assert.equal(request?.metadata.namespace, 'sandbox');
    assert.deepEqual(request.spec.issuerRef, { group: 'things.example.com', kind: 'ThingIssuer', name: 'my-ca' });
    assert.equal(request.spec.username, 'system:serviceaccount:countersign:countersign-signer');
  });

  test('of the cluster issues, with its CertificateRequest in the cluster resource namespace', async () => {
    const signerName = await createThing(cluster, { name: 'company' }, { does: 'issue' });
    await createThenApprove(cluster, { name: 'two', signerName });
    await waitUntilIssued(cluster, 'two', PATIENCE_MS);
    const [request] = await requestsOf('two');
    assert.equal(request?.metadata.namespace, NAMESPACE);
  });

  test('is refused to a requester who may reference only the Issuer of cert-manager with the same name', async () => {
    await allow('mallory', 'cert-manager.io', 'my-ca');
    const input = { name: 'three', signerName: 'thingissuers.things.example.com/sandbox.my-ca' };
    const message = await cluster.eventually('mallory may create CSRs', async () => {
      const { status, body } = await tryCreateCsr(cluster, input, { user: 'mallory' });
      assert.notEqual(status, 201);
      return body.message.includes('DeniedReference') || body.message.includes('may not reference')
        ? body.message
        : undefined;
    });
    assert.match(message, /cannot reference resource "signers" in API group "things\.example\.com"/);
    assert.match(message, /--role=thingissuers\.things\.example\.com-referencer:my-ca --user=mallory/);
  });

  test('is refused by the signer if the permission is gone by the approval', async () => {
    const signerName = 'thingissuers.things.example.com/sandbox.my-ca';
    const { status } = await tryCreateCsr(cluster, { name: 'four', signerName }, { user: 'jane' });
    assert.equal(status, 201);
    await cluster.api.remove(`${RBAC}/namespaces/sandbox/rolebindings/jane-things.example.com`);
    await cluster.eventually('the API server has noticed', async () => {
      const answer = await tryCreateCsr(cluster, { name: 'five', signerName }, { user: 'jane' });
      if (answer.status !== 201) return true;
      await cluster.api.remove(`${CSRS}/five`);
      return undefined;
    });
    await approve(cluster, 'four');
    const failed = (await waitUntilFailed(cluster, 'four')).status?.conditions?.find(({ type }) => type === 'Failed');
    assert.equal(failed?.reason, 'DeniedReference');
    assert.equal(failed.message, 'Requester may not reference ThingIssuer sandbox/my-ca');
    assert.deepEqual(await requestsOf('four'), []);
  });

  test('whose controller refuses fails the CSR with the words of the controller', async () => {
    const signerName = await createThing(cluster, { name: 'refusing' }, { does: 'refuse' });
    await createThenApprove(cluster, { name: 'six', signerName });
    const failed = (await waitUntilFailed(cluster, 'six')).status?.conditions?.find(({ type }) => type === 'Failed');
    assert.equal(failed?.reason, 'CertificateRequestFailed');
    assert.match(failed.message, /^CertificateRequest countersign\/six-[0-9a-f]+ failed: out of things$/);
  });

  test('that does not exist makes the CSR wait, and its event says what to check; the CSR then continues', async () => {
    const signerName = 'thingissuers.things.example.com/sandbox.late';
    await createThenApprove(cluster, { name: 'seven', signerName });
    const message = await whenReported('seven', 'CertificateRequestUnanswered');
    assert.match(
      message,
      /controller for issuers of things\.example\.com is running, and that ThingIssuer sandbox\/late exists$/,
    );
    await createThing(cluster, { namespace: 'sandbox', name: 'late' }, { does: 'issue' });
    await waitUntilIssued(cluster, 'seven', PATIENCE_MS);
  });

  test('is not trusted for a CertificateRequest that another user created in its name', async () => {
    const signerName = COMPANY;
    const { metadata } = await createCsr(cluster, { name: 'eight', signerName });
    await forge(metadata);
    await approve(cluster, 'eight');
    await whenReported('eight', 'CertificateRequestForged');
    await waitUntilIssued(cluster, 'eight', PATIENCE_MS);
    const creators = (await requestsOf('eight')).map(({ spec }) => spec.username);
    assert.deepEqual(creators.toSorted(), ['eve', 'system:serviceaccount:countersign:countersign-signer']);
  });
});

test('an ApprovalPolicy approves a CSR for an external issuer that it and the approver name', async () => {
  await createPolicy(cluster, 'company', {
    signerNames: [COMPANY],
    subjects: [{ kind: 'User', name: 'mallory' }],
    allowed: { dnsNames: { values: ['*'] }, commonName: { value: '*' } },
  });
  assert.match(await policyReadiness(cluster, 'company'), /^True Enforce: [^;]*$/);
  const { status, body } = await tryCreateCsr(cluster, { name: 'nine', signerName: COMPANY }, { user: 'mallory' });
  assert.equal(status, 201, body.message);
  const { type, reason } = await whenDecided(cluster, 'nine');
  assert.deepEqual([type, reason], ['Approved', 'ApprovedByPolicy']);
  await waitUntilIssued(cluster, 'nine', PATIENCE_MS);
});

test('the API server rejects an ApprovalPolicy for a signer of the cluster, or for a malformed name of cert-manager', async () => {
  for (const name of ['csrs.node.kubernetes.io/x', 'kubernetes.io/kubelet-serving', 'issuers.cert-manager.io/team']) {
    const subjects = [{ kind: 'User', name: 'mallory' }] as const;
    await assert.rejects(createPolicy(cluster, 'refused', { signerNames: [name], subjects }), /422 .*signerNames\[0\]/);
  }
});

describe('the webhook, by its match conditions', () => {
  test('refuses a signer name that no issuer of a listed type can have', async () => {
    const { status, body } = await tryCreateCsr(cluster, {
      name: 'malformed',
      signerName: 'thingissuers.things.example.com/my-ca',
    });
    assert.equal(status, 422);
    assert.match(body.message, /missing namespace; use "thingissuers\.things\.example\.com\/<namespace>\.<name>"/);
  });

  test('refuses usages that contradict the PKCS#10 request, which cert-manager would refuse later', async () => {
    const { status, body } = await tryCreateCsr(cluster, {
      name: 'contradicting',
      signerName: COMPANY,
      request: readRequest('only-key-usage'),
      usages: ['cert sign'],
    });
    assert.equal(status, 422, body.message);
  });

  test('locks the annotations of a CSR for a listed type', async () => {
    const annotations = { 'experimental.cert-manager.io/request-duration': '1h' };
    const signerName = COMPANY;
    await createCsr(cluster, { name: 'locked', signerName, annotations });
    const { status, body } = await annotate(cluster, 'locked', {
      'experimental.cert-manager.io/request-duration': '2h',
    });
    assert.equal(status, 422);
    assert.match(body.message, /is immutable because it is part of the request/);
  });
});

test('a CSR for a type that is not listed is left to its signer, by webhook and signer', async () => {
  const signerName = 'otherissuers.things.example.com/sandbox.my-ca';
  const { status } = await tryCreateCsr(cluster, { name: 'other', signerName }, { user: 'mallory' });
  assert.equal(status, 201);
  await approve(cluster, 'other');
  // What came after it is done.
  await createThenApprove(cluster, {
    name: 'control',
    signerName: COMPANY,
  });
  await waitUntilIssued(cluster, 'control', PATIENCE_MS);
  const { status: found } = await getCsr(cluster, 'other');
  assert.deepEqual(
    found?.conditions?.map(({ type }) => type),
    ['Approved'],
  );
  assert.deepEqual(await requestsOf('other'), []);
});

/** What an editor of the namespace can do: take the name, with the CSR as owner and everything else as expected. */
async function forge({ name, uid }: { name: string; uid: string }): Promise<void> {
  const owner = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', name, uid };
  const metadata = { name: nameFor(name, uid, 1), ownerReferences: [{ ...owner, controller: true }] };
  const spec = {
    request: readRequest('p256'),
    issuerRef: { group: 'things.example.com', kind: 'ThingClusterIssuer', name: 'company' },
    usages: ['digital signature', 'key encipherment'],
    duration: '2160h0m0s',
    isCA: false,
  };
  const body = { apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest', metadata, spec };
  const path = `${API}/namespaces/${NAMESPACE}/certificaterequests`;
  const as = { user: 'eve', groups: ['system:masters'] };
  const { status, body: created } = await cluster.api.call<Refusal>({ method: 'POST', path, body, as });
  assert.equal(status, 201, created.message);
}
