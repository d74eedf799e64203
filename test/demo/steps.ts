// The steps of the demo: two users request certificates, and only one of them may use the issuer. Every step is a
// command that readers can repeat. The first step without the expected result ends the demo.

import { approveByPolicy } from './approval.ts';
import { applyManifest } from './manifests.ts';
import type { Narrator } from './narrator.ts';
import { createRequest, generateKey } from './openssl-requests.ts';
import { requestForPod } from './pod-certificate.ts';
import { approveAndFetch } from './requests.ts';
import { type DemoVault, issueWithVault } from './vault.ts';

export interface DemoStepsDeps {
  readonly narrator: Pick<Narrator, 'heading' | 'explain' | 'show' | 'run' | 'shell' | 'fetchLines'>;
  /** The working directory of the commands, in which the manifests are written. */
  readonly dir: string;
  readonly namespace: string;
  readonly signerUrl: string;
  readonly webhookUrl: string;
  readonly vault: DemoVault;
}

export async function runDemoSteps(deps: DemoStepsDeps): Promise<void> {
  await grantAccess(deps);
  await requestWithoutPermission(deps);
  await requestWithPermission(deps);
  await useClusterIssuer(deps);
  await issueSelfSigned(deps);
  await issueWithVault(deps);
  await requestForPod(deps);
  await approveByPolicy(deps);
  await showMetrics(deps);
}

async function grantAccess(deps: DemoStepsDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('1. Create an Issuer and grant access to it');
  narrator.explain('Create a CA and a cert-manager Issuer that signs with it:');
  await narrator.run(['kubectl', 'create', 'namespace', 'sandbox']);
  await narrator.run(generateKey('ca'));
  const ca = ['openssl', 'req', '-x509', '-key', 'ca.key', '-days', '365', '-subj', '/CN=Sandbox CA', '-out', 'ca.crt'];
  await narrator.run(ca);
  await narrator.run(secretTls('my-ca', 'sandbox', 'ca'));
  await applyManifest(deps, 'issuer.yaml', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name: 'my-issuer', namespace: 'sandbox' },
    spec: { ca: { secretName: 'my-ca' } },
  });
  narrator.explain('\nCheck that the Issuer is ready:');
  const issuers = ['kubectl', 'get', 'issuers', '-n', 'sandbox', '-o', 'wide'];
  await narrator.run(issuers, { within: 10, prints: ['True', 'Signing CA verified'] });
  narrator.explain('\nAllow two users, jane and mallory, to create CertificateSigningRequests (CSRs):');
  const creator = [
    'kubectl',
    'create',
    'clusterrole',
    'csr-creator',
    '--verb=create,get',
    '--resource=certificatesigningrequests',
  ];
  await narrator.run(creator);
  const both = ['--clusterrole=csr-creator', '--user=jane', '--user=mallory'];
  await narrator.run(['kubectl', 'create', 'clusterrolebinding', 'csr-creators', ...both]);
  narrator.explain('\nAllow only jane to use the Issuer:');
  await applyManifest(deps, 'role.yaml', REFERENCER_ROLE);
  const binding = ['--role=my-issuer-referencer', '--user=jane', '-n', 'sandbox'];
  await narrator.run(['kubectl', 'create', 'rolebinding', 'my-issuer-referencers', ...binding]);
}

const REFERENCER_ROLE = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name: 'my-issuer-referencer', namespace: 'sandbox' },
  rules: [
    { apiGroups: ['cert-manager.io'], resources: ['signers'], verbs: ['reference'], resourceNames: ['my-issuer'] },
  ],
};

async function requestWithoutPermission(deps: DemoStepsDeps): Promise<void> {
  deps.narrator.heading('2. Request a certificate without permission');
  deps.narrator.explain('mallory generates a key and a CSR for the Issuer:');
  await createRequest(deps, { name: 'mallory', signerName: 'issuers.cert-manager.io/sandbox.my-issuer' });
  deps.narrator.explain(
    '\nThe webhook denies the request. The message contains the Role and RoleBinding that would allow it:',
  );
  const create = ['kubectl', '--kubeconfig', 'mallory.kubeconfig', 'create', '-f', 'mallory.yaml'];
  await deps.narrator.run(create, { fails: true, prints: ['DeniedReference', 'mallory', 'reference', 'sandbox'] });
  deps.narrator.explain('\nNo CSR was created:');
  await deps.narrator.run(['kubectl', 'get', 'csr'], { prints: ['No resources found'] });
}

async function requestWithPermission(deps: DemoStepsDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('3. Request a certificate with permission');
  narrator.explain('jane generates a key and creates a CSR for the same Issuer:');
  await createRequest(deps, { name: 'jane', signerName: 'issuers.cert-manager.io/sandbox.my-issuer' });
  await narrator.run(['kubectl', '--kubeconfig', 'jane.kubeconfig', 'create', '-f', 'jane.yaml']);
  narrator.explain('\nAn administrator approves the CSR, and Countersign issues the certificate:');
  await approveAndFetch(deps, 'jane');
  narrator.explain('\nVerify and view the certificate:');
  await narrator.run(['openssl', 'verify', '-CAfile', 'ca.crt', 'jane.crt'], { prints: ['jane.crt: OK'] });
  const fields = ['-subject', '-issuer', '-dates', '-ext', 'subjectAltName,keyUsage,extendedKeyUsage,basicConstraints'];
  await narrator.run(['openssl', 'x509', '-in', 'jane.crt', '-noout', ...fields], { prints: ['CN = Sandbox CA'] });
  narrator.explain('\nThe CA certificate is in an annotation of the CSR:');
  const annotation = String.raw`jsonpath='{.metadata.annotations.experimental\.cert-manager\.io/ca}'`;
  await narrator.shell(`kubectl get csr jane -o ${annotation} | openssl base64 -d -A | openssl x509 -noout -subject`);
  narrator.explain('\nView the events of the CSR:');
  const events = ['kubectl', 'get', 'events', '--field-selector', 'involvedObject.name=jane'];
  await narrator.run(events, { within: 5, prints: ['CertificateIssued'] });
}

async function useClusterIssuer(deps: DemoStepsDeps): Promise<void> {
  deps.narrator.heading('4. Use a ClusterIssuer');
  deps.narrator.explain(`Create a ClusterIssuer, whose Secret is in the namespace ${deps.namespace}:`);
  await deps.narrator.run(secretTls('cluster-ca', deps.namespace, 'ca'));
  await applyManifest(deps, 'clusterissuer.yaml', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'my-cluster-issuer' },
    spec: { ca: { secretName: 'cluster-ca' } },
  });
  deps.narrator.explain('\nEvery user who may create CSRs may use it, including mallory:');
  await createRequest(deps, { name: 'cluster', signerName: 'clusterissuers.cert-manager.io/my-cluster-issuer' });
  await deps.narrator.run(['kubectl', '--kubeconfig', 'mallory.kubeconfig', 'create', '-f', 'cluster.yaml']);
  await approveAndFetch(deps, 'cluster');
  await deps.narrator.run(['openssl', 'verify', '-CAfile', 'ca.crt', 'cluster.crt'], { prints: ['cluster.crt: OK'] });
}

async function issueSelfSigned(deps: DemoStepsDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('5. Issue a self-signed certificate');
  narrator.explain('Create a SelfSigned ClusterIssuer:');
  await applyManifest(deps, 'selfsigned.yaml', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'self-signed' },
    spec: { selfSigned: {} },
  });
  const signerName = 'clusterissuers.cert-manager.io/self-signed';
  const annotations = { 'experimental.cert-manager.io/private-key-secret-name': 'self-key' };
  narrator.explain('\nThe CSR has an annotation with the name of the Secret that contains its private key:');
  await createRequest(deps, { name: 'self', signerName, annotations });
  const secret = ['kubectl', 'create', 'secret', 'generic', 'self-key', '-n', deps.namespace];
  await narrator.run([...secret, '--from-file=tls.key=self.key']);
  await narrator.run(['kubectl', '--kubeconfig', 'jane.kubeconfig', 'create', '-f', 'self.yaml']);
  await approveAndFetch(deps, 'self');
  await narrator.run(['openssl', 'verify', '-CAfile', 'self.crt', 'self.crt'], { prints: ['self.crt: OK'] });
}

async function showMetrics({ narrator, signerUrl, webhookUrl }: DemoStepsDeps): Promise<void> {
  narrator.heading('9. View the metrics');
  narrator.explain('The webhook counts allowed and denied requests:');
  const admissions = /^countersign_webhook_admissions_total.* [1-9]/;
  await narrator.fetchLines(`${webhookUrl}/metrics`, admissions, ['reason="DeniedReference"', 'answer="allowed"']);
  narrator.explain('\nThe signer counts issued certificates:');
  const certificates = /^(countersign_certificates_total|leader_election_master_status)/;
  const issued = ['result="issued"', 'leader_election_master_status 1'];
  await narrator.fetchLines(`${signerUrl}/metrics`, certificates, issued);
}

function secretTls(name: string, namespace: string, files: string): string[] {
  return ['kubectl', 'create', 'secret', 'tls', name, '-n', namespace, `--cert=${files}.crt`, `--key=${files}.key`];
}
