// The approver on a real node, as an operator installs it: its image, its permissions and an ApprovalPolicy. Everything
// is done with helm and kubectl.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { csrManifest } from '../support/requests.ts';
import { requirement, requirePrograms } from './requirements.ts';
import { CHART, NAMESPACE, openTestCluster, type Scene, SIGNER_NAME } from './test-cluster.ts';

const VALUES = {
  signer: { image: { pullPolicy: 'Never' } },
  webhook: { image: { pullPolicy: 'Never' }, approvalPolicies: 'deny' },
  approver: { enabled: true, signerNames: ['issuers.cert-manager.io/*'], image: { pullPolicy: 'Never' } },
  policy: { requireApprovalPolicy: true },
  referencers: [{ namespace: 'sandbox', issuer: 'my-issuer', subjects: [{ kind: 'User', name: 'jane' }] }],
};

const POLICY = {
  apiVersion: 'approval.countersign.io/v1alpha1',
  kind: 'ApprovalPolicy',
  metadata: { name: 'web-servers' },
  spec: {
    signerNames: ['issuers.cert-manager.io/sandbox.*'],
    subjects: [{ kind: 'User', name: 'jane' }],
    allowed: {
      commonName: { value: '*.example.com' },
      dnsNames: { values: ['*.example.com'] },
      usages: ['digital signature', 'key encipherment'],
    },
    rules: [{ rule: 'size(request.dnsNames) == 1', message: 'exactly one DNS name' }],
  },
};

describe('the approver on a real node', requirement, () => {
  let scene: Scene;
  before(async () => {
    scene = await openTestCluster(requirePrograms());
    await scene.kubectl(['create', 'namespace', 'sandbox']);
    await scene.kubectl(['create', 'namespace', NAMESPACE]);
    await scene.kubectl(['label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted']);
    const values = await scene.writeValues('values.yaml', VALUES);
    await scene.helm('install', 'countersign', CHART, '--values', values, '--wait', '--timeout', '120s');
    await scene.furnish();
  });
  after(() => scene?.close());

  test('a CSR that a policy allows is approved and signed', async () => {
    await scene.kubectl(['apply', '-f', '-'], POLICY);
    await scene.kubectl(['wait', 'approvalpolicy/web-servers', '--for=condition=Ready', '--timeout=60s']);
    const csr = csrManifest({ name: 'jane', signerName: SIGNER_NAME, request: await scene.makeRequest('jane') });
    const created = await scene.tryKubectl('jane', ['create', '-f', '-'], csr);
    assert.equal(created.code, 0, created.stderr);
    const path = 'jsonpath={.status.certificate}';
    await scene.kubectl(['wait', 'csr/jane', `--for=${path}`, '--timeout=60s']);
    const pem = Buffer.from(await scene.kubectl(['get', 'csr', 'jane', '-o', path]), 'base64');
    assert.equal(new X509Certificate(pem).subjectAltName, 'DNS:jane.example.com');
    const message = 'jsonpath={.status.conditions[?(@.type=="Approved")].message}';
    assert.equal(
      await scene.kubectl(['get', 'csr', 'jane', '-o', message]),
      'ApprovalPolicy web-servers allows this request',
    );
  });

  test('a CSR that no policy allows is refused at creation', async () => {
    const csr = csrManifest({ name: 'ca', signerName: SIGNER_NAME, usages: ['cert sign'] });
    const { code, stderr } = await scene.tryKubectl('jane', ['create', '-f', '-'], csr);
    assert.equal(code, 1);
    assert.match(stderr, /PolicyMismatch.*ApprovalPolicy web-servers does not allow this request/s);
  });

  test('helm test passes, the check of the approver included', async () => {
    assert.match(await scene.helm('test', 'countersign', '--timeout', '120s', '--logs'), /Ready True/);
  });
});
