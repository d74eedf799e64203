// The step of the demo in which a pod gets a certificate. The demo has no kubelet, so an administrator acts as the
// node: the Node and the pod are only objects.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyManifest, writeManifest } from './manifests.ts';
import type { DemoStepsDeps } from './steps.ts';

const SIGNER_NAME = 'issuers.cert-manager.io/sandbox.my-issuer';
const NODE = 'demo-node';
const AS_NODE = [`--as=system:node:${NODE}`, '--as-group=system:nodes'];

export async function requestForPod(deps: DemoStepsDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('7. Issue a certificate to a pod');
  narrator.explain(`In a cluster, the kubelet generates the key, creates a PodCertificateRequest and writes the certificate to a volume of the
pod. This control plane has no kubelet, so the pod does not run and an administrator acts as its node.

Create a Node, a ServiceAccount, and a pod that requests a certificate:`);
  await applyManifest(deps, 'node.yaml', { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } });
  await narrator.run(['kubectl', 'create', 'serviceaccount', 'web', '-n', 'sandbox']);
  await createPod(deps);
  await createPodRequest(deps);
  narrator.explain('\nCountersign issues the certificate. No approval is needed:');
  const get = ['kubectl', 'get', 'podcertificaterequest', 'web', '-n', 'sandbox'];
  await narrator.run(get, { within: 10, prints: ['Issued'] });
  await narrator.shell(`${get.join(' ')} -o jsonpath='{.status.certificateChain}' > web.crt`);
  narrator.explain('\nThe certificate contains the identity of the ServiceAccount as a SPIFFE ID:');
  await narrator.run(['openssl', 'verify', '-CAfile', 'ca.crt', 'web.crt'], { prints: ['web.crt: OK'] });
  const fields = ['-dates', '-ext', 'subjectAltName,extendedKeyUsage'];
  const id = 'URI:spiffe://cluster.local/ns/sandbox/sa/web';
  await narrator.run(['openssl', 'x509', '-in', 'web.crt', '-noout', ...fields], { prints: [id] });
}

async function createPod(deps: DemoStepsDeps): Promise<void> {
  const { narrator } = deps;
  await writeManifest(deps, 'pod.yaml', POD, POD);
  const apply = ['kubectl', 'apply', '-f', 'pod.yaml'];
  await narrator.run(apply, { fails: true, prints: ['DeniedReference', 'ServiceAccount sandbox/web'] });
  narrator.explain(
    '\nAn admission policy denied the pod, because its ServiceAccount may not use the Issuer. Allow it:',
  );
  const binding = ['--role=my-issuer-referencer', '--serviceaccount=sandbox:web', '-n', 'sandbox'];
  await narrator.run(['kubectl', 'create', 'rolebinding', 'my-issuer-pods', ...binding]);
  await narrator.run(apply, { within: 5, prints: ['created'] });
}

const SOURCE = { signerName: SIGNER_NAME, keyType: 'ECDSAP256', credentialBundlePath: 'credentials.pem' };

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'sandbox' },
  spec: {
    nodeName: NODE,
    serviceAccountName: 'web',
    automountServiceAccountToken: false,
    containers: [{ name: 'app', image: 'app', volumeMounts: [{ name: 'certificate', mountPath: '/certificate' }] }],
    volumes: [{ name: 'certificate', projected: { sources: [{ podCertificate: SOURCE }] } }],
  },
};

/** As a kubelet does: with a new key, and a PKCS#10 request that contains nothing else. */
async function createPodRequest(deps: DemoStepsDeps): Promise<void> {
  const { narrator, dir } = deps;
  narrator.explain('\nActing as the node, generate a key and create the request for the pod:');
  await narrator.run([
    'openssl',
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-out',
    'web.key',
  ]);
  const stub = ['-new', '-key', 'web.key', '-subj', '/', '-outform', 'DER', '-out', 'web.csr'];
  await narrator.run(['openssl', 'req', ...stub]);
  const uidOf = async (resource: string, ...name: string[]) => {
    await narrator.shell(`kubectl get ${resource} ${name.join(' ')} -o jsonpath='{.metadata.uid}' > ${resource}.uid`);
    return readFile(join(dir, `${resource}.uid`), 'utf8');
  };
  const spec = {
    signerName: SIGNER_NAME,
    podName: 'web',
    podUID: await uidOf('pod', 'web', '-n', 'sandbox'),
    serviceAccountName: 'web',
    serviceAccountUID: await uidOf('serviceaccount', 'web', '-n', 'sandbox'),
    nodeName: NODE,
    nodeUID: await uidOf('node', NODE),
  };
  const request = (await readFile(join(dir, 'web.csr'))).toString('base64');
  const manifest = (stubPKCS10Request: string) => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'PodCertificateRequest',
    metadata: { name: 'web', namespace: 'sandbox' },
    spec: { ...spec, stubPKCS10Request },
  });
  await writeManifest(
    deps,
    'request.yaml',
    manifest(request),
    manifest(`${request.slice(0, 40)}… (base64 of web.csr)`),
  );
  await narrator.run(['kubectl', 'create', '-f', 'request.yaml', ...AS_NODE]);
}
