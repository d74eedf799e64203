// When the chart installs the admission policies for pods. test/integration/pod-admission.test.ts tests what they deny.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POD_ANNOTATIONS } from '@countersign/common/pods/pod-annotations.ts';
import { CHART, type KubeObject, NAMESPACE, parseObjects, RELEASE, runHelm } from './helm.ts';

const SERVED = 'certificates.k8s.io/v1/PodCertificateRequest';
const POLICIES = ['countersign-cronjobs', 'countersign-pod-requests', 'countersign-pods', 'countersign-workloads'];

interface Cluster {
  readonly kubernetes: string;
  readonly apiVersions?: string;
}

const NEW: Cluster = { kubernetes: '1.37.0', apiVersions: SERVED };

interface Policy extends KubeObject {
  readonly spec: { readonly variables: readonly { readonly name: string; readonly expression: string }[] };
}

interface Binding extends KubeObject {
  readonly spec: { readonly policyName: string; readonly validationActions: readonly string[] };
}

async function renderFor(
  { kubernetes, apiVersions }: Cluster,
  podCertificates: object,
): Promise<readonly KubeObject[]> {
  const known = apiVersions === undefined ? [] : ['--api-versions', apiVersions];
  const args = ['template', RELEASE, CHART, '--namespace', NAMESPACE, '--kube-version', kubernetes, ...known];
  const { code, stdout, stderr } = await runHelm(args, { podCertificates });
  assert.equal(code, 0, stderr);
  return parseObjects(stdout);
}

async function policiesFor(cluster: Cluster, podCertificates: object = {}): Promise<readonly string[]> {
  const objects = await renderFor(cluster, podCertificates);
  const names = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy').map(({ metadata }) => metadata.name);
  return names.toSorted();
}

test('the policies for pods are installed where the API server has PodCertificateRequests', async () => {
  assert.deepEqual(await policiesFor(NEW), POLICIES);
});

test('the policies for pods are not installed on Kubernetes 1.30, which has no PodCertificateRequests', async () => {
  assert.deepEqual(await policiesFor({ kubernetes: '1.30.0' }), []);
});

test('the policies for pods are installed without a cluster with install: always', async () => {
  const admissionPolicies = { install: 'always' };
  assert.deepEqual(await policiesFor({ kubernetes: '1.37.0' }, { admissionPolicies }), POLICIES);
});

test('the policies for pods are not installed with install: never, nor if the signer does not sign for pods', async () => {
  assert.deepEqual(await policiesFor(NEW, { admissionPolicies: { install: 'never' } }), []);
  assert.deepEqual(await policiesFor(NEW, { enabled: false, admissionPolicies: { install: 'always' } }), []);
});

test('each policy for pods can be left out', async () => {
  const without = (name: string) => policiesFor(NEW, { admissionPolicies: { [name]: false } });
  assert.deepEqual(await without('refusePods'), POLICIES.toSpliced(2, 1));
  assert.deepEqual(await without('warnWorkloads'), POLICIES.slice(1, 3));
  assert.deepEqual(await without('onlyNodes'), POLICIES.toSpliced(1, 1));
});

test('the policies deny pods and requests, and only warn about workloads', async () => {
  const objects = await renderFor(NEW, {});
  const bindings = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding') as Binding[];
  const actions = bindings.map(({ spec }) => `${spec.policyName}: ${spec.validationActions.join()}`);
  assert.deepEqual(actions.toSorted(), [
    'countersign-cronjobs: Warn',
    'countersign-pod-requests: Deny',
    'countersign-pods: Deny',
    'countersign-workloads: Warn',
  ]);
});

test('the policy for pods knows the same annotations as the signer', async () => {
  const objects = await renderFor(NEW, {});
  const policy = objects.find(
    ({ kind, metadata }) => kind === 'ValidatingAdmissionPolicy' && metadata.name === 'countersign-pods',
  );
  const { expression = '' } = (policy as Policy).spec.variables.find(({ name }) => name === 'unknownAnnotations') ?? {};
  const known = expression.match(/'[a-z.-]+\/[a-z-]+'/g)?.map(text => text.slice(1, -1));
  assert.deepEqual(known?.toSorted(), POD_ANNOTATIONS.toSorted());
});
