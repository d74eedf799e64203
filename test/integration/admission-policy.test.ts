// The admission policy without the webhook on a real API server: for every case it gives the same answer as the
// webhook's code with the same access reviews.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateSigningRequest, Requester } from '@countersign/common/csr.ts';
import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import type { AdmissionRequest } from '@countersign/webhook/admission-review.ts';
import { admit, type Decision, findScope } from '@countersign/webhook/admit.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';
import { observe } from '@countersign/webhook/observe.ts';
import { stringify } from 'yaml';
import { type KubeObject, parseObjects, renderText, type Values } from '../chart/helm.ts';
import { Api, type ApiAnswer, type Refusal } from '../support/api.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane/control-plane.ts';
import { CLUSTER_THING, THING } from '../support/issuers/thing-issuer.ts';
import { approvalBody, CSRS, csrManifest } from '../support/requests.ts';
import {
  ADMISSION_POLICY_RBAC,
  CREATIONS,
  CREATIONS_FOR_CLUSTER_ISSUERS,
  CREATIONS_FOR_EXTERNAL_ISSUERS,
  UPDATES,
} from './admission-policy-cases.ts';

type Csr = CertificateSigningRequest & Refusal;

let controlPlane: ControlPlane;
let api: Api;
let client: KubeClient;

before(async () => {
  controlPlane = await startControlPlane();
  api = await Api.fromKubeconfig(controlPlane.adminKubeconfig);
  client = createClusterClient({ kubeconfig: controlPlane.adminKubeconfig });
  await apply([...ADMISSION_POLICY_RBAC, ...(await readPolicy({}))]);
  await untilInForce();
});

after(async () => {
  await Promise.all([api.close(), client.close()]);
  await controlPlane.stop();
});

async function readPolicy(values: Values): Promise<readonly KubeObject[]> {
  const objects = parseObjects(await renderText({ ...values, admissionPolicy: { enabled: true } }));
  const policy = objects.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'));
  assert.equal(policy.length, 2);
  return policy;
}

async function apply(objects: readonly object[]): Promise<void> {
  const input = objects.map(object => stringify(object)).join('---\n');
  const { code, stderr } = await controlPlane.kubectl(['apply', '-f', '-'], { input });
  assert.equal(code, 0, stderr);
}

const SIGNER_NAME = 'issuers.cert-manager.io/sandbox.mine';

/** The API server picks up new policies and roles with a delay. */
async function untilInForce(signerName = SIGNER_NAME, permitted = 'jane'): Promise<void> {
  const probes = [
    { user: 'mallory', code: 403, isRight: (message: string) => message.includes('DeniedReference') },
    { user: permitted, code: 201, isRight: () => true },
  ];
  for (let i = 0; i < 200; i++) {
    const answers = await Promise.all(probes.map(({ user }) => create({ user }, signerName)));
    const areRight = probes.every(({ code, isRight }, index) => {
      const { status, body } = answers[index]!;
      return status === code && isRight(body.message ?? '');
    });
    if (areRight) return;
    await sleep(50);
  }
  assert.fail('the policy is not in force after 10 s');
}

interface User {
  readonly user: string;
  readonly groups?: readonly string[];
}

function create(as: User, signerName: string): Promise<ApiAnswer<Csr>> {
  const body = csrManifest({ name: 'tried', signerName });
  return api.call({ method: 'POST', path: `${CSRS}?dryRun=All`, body, as });
}

/** Returns the webhook's decision, without known issuers. */
async function askWebhook(request: AdmissionRequest, policy = PERMISSIVE_POLICY): Promise<Decision> {
  const scope = findScope(request, policy);
  const observation = await observe(scope, request.userInfo, {
    client,
    issuers: { find: () => 'unknown' },
    secrets: { read: async () => undefined },
    clusterResourceNamespace: 'countersign',
    metrics: new WebhookMetrics(createRegistry()),
    reviewTimeoutMs: 10_000,
  });
  return admit(scope, observation, { username: request.userInfo.username ?? '', policy });
}

function requesterOf({ user, groups = [] }: User): Requester {
  return { username: user, groups: [...groups, 'system:authenticated'] };
}

/** `reason` is the reason that both must give, undefined if both must admit the request. */
function assertSameAnswer(reason: string | undefined, { status, body }: ApiAnswer<Csr>, decision: Decision): void {
  if (reason === undefined) {
    assert.ok(status < 300, body.message);
    assert.ok(decision.allowed, 'the webhook denies it');
    return;
  }
  assert.ok(!decision.allowed, 'the webhook admits it');
  assert.deepEqual([status, decision.reason], [decision.code, reason], body.message);
  assert.match(body.message, /ValidatingAdmissionPolicy 'countersign-requests'/);
  assert.ok(body.message.endsWith(`(${reason})`), body.message);
  // The webhook also names the annotation field; the rest of the text is the same.
  for (const { message } of decision.causes) assert.ok(body.message.includes(message), body.message);
}

describe('creating a request', () => {
  for (const { name, as, signerName, reason } of CREATIONS) {
    test(`a request is ${reason === undefined ? 'admitted' : `denied with ${reason}`}: ${name}`, async () => {
      const object = csrManifest({ name: 'tried', signerName });
      const [answer, decision] = await Promise.all([
        create(as, signerName),
        askWebhook({ uid: '1', operation: 'CREATE', userInfo: requesterOf(as), object }),
      ]);
      assertSameAnswer(reason, answer, decision);
    });
  }

  test('the denial names the user, the missing permission and the namespace', async () => {
    const { body } = await create({ user: 'mal"lory' }, 'issuers.cert-manager.io/sandbox.mine');
    assert.equal(
      body.message.replace(/.* denied request: /, ''),
      'Requester may not reference Namespaced Issuer sandbox/mine: user "mal\\"lory" cannot reference resource "signers" in API group "cert-manager.io" with the name "mine" in the namespace "sandbox" (DeniedReference)',
    );
  });
});

describe('updating a request', () => {
  for (const [index, { name, isApproved, subresource, change, reason }] of UPDATES.entries()) {
    test(`an update is ${reason === undefined ? 'admitted' : 'denied'}: ${name}`, async () => {
      const csr = `changed-${index}`;
      const annotations = { 'experimental.cert-manager.io/request-duration': '1h' };
      const signerName = 'issuers.cert-manager.io/sandbox.mine';
      await api.create(CSRS, csrManifest({ name: csr, signerName, annotations }));
      if (isApproved) await api.patch(`${CSRS}/${csr}/approval`, approvalBody());
      const path = `${CSRS}/${csr}`;
      const oldObject = await api.get<CertificateSigningRequest>(path);
      const body = subresource === '/approval' && !isApproved ? { ...change, ...approvalBody() } : change;
      const answer = await api.call<Csr>({ method: 'PATCH', path: `${path}${subresource}`, body });
      const changed = {
        ...oldObject.metadata,
        annotations: { ...oldObject.metadata.annotations, ...change.metadata.annotations },
      };
      const object = { ...oldObject, ...('status' in body && { status: body.status as object }), metadata: changed };
      const decision = await askWebhook({ uid: '1', operation: 'UPDATE', userInfo: {}, object, oldObject });
      assertSameAnswer(reason, answer, decision);
    });
  }
});

describe('creating a request with authorizeClusterIssuers', () => {
  const demanding = { ...PERMISSIVE_POLICY, authorizeClusterIssuers: true };
  before(async () => {
    await apply(await readPolicy({ policy: { authorizeClusterIssuers: true } }));
    await untilInForce('clusterissuers.cert-manager.io/mine', 'carla');
  });

  for (const { name, as, signerName, reason } of CREATIONS_FOR_CLUSTER_ISSUERS) {
    test(`a request with authorizeClusterIssuers is ${reason === undefined ? 'admitted' : `denied with ${reason}`}: ${name}`, async () => {
      const object = csrManifest({ name: 'tried', signerName });
      const asked = { uid: '1', operation: 'CREATE', userInfo: requesterOf(as), object } as const;
      const [answer, decision] = await Promise.all([create(as, signerName), askWebhook(asked, demanding)]);
      assertSameAnswer(reason, answer, decision);
    });
  }
});

describe('creating a request with external types', () => {
  const types = [THING, CLUSTER_THING];
  const policy = { ...PERMISSIVE_POLICY, authorizeClusterIssuers: true, delegates: true, externalIssuers: types };
  before(async () => {
    const externalIssuers = types.map(({ plural, group, kind, isNamespaced }) => ({
      name: `${plural}.${group}`,
      kind,
      scope: isNamespaced ? 'Namespaced' : 'Cluster',
    }));
    const delegation = { enabled: true, externalIssuers };
    await apply(await readPolicy({ policy: { authorizeClusterIssuers: true }, delegation }));
    await untilInForce('thingclusterissuers.things.example.com/mine', 'thomas');
  });

  for (const { name, as, signerName, reason } of CREATIONS_FOR_EXTERNAL_ISSUERS) {
    test(`a request for an external issuer is ${reason === undefined ? 'admitted' : `denied with ${reason}`}: ${name}`, async () => {
      const object = csrManifest({ name: 'tried', signerName });
      const asked = { uid: '1', operation: 'CREATE', userInfo: requesterOf(as), object } as const;
      const [answer, decision] = await Promise.all([create(as, signerName), askWebhook(asked, policy)]);
      assertSameAnswer(reason, answer, decision);
    });
  }
});
