// The story that the demo tells: who may use an issuer and who may not, and what becomes of their requests. Every step is a
// command that a reader could type; a step that does not end as told ends the story.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Narrator } from './narrator.ts';

export interface StoryDeps {
  readonly narrator: Narrator;
  /** Where the files of the story are written, and the directory that its commands run in. */
  readonly dir: string;
  readonly namespace: string;
  readonly signerUrl: string;
  readonly webhookUrl: string;
}

const LEAF_USAGES = ['digital signature', 'key encipherment', 'server auth'];

export async function tellStory(deps: StoryDeps): Promise<void> {
  await setTheScene(deps);
  await refuseMallory(deps);
  await signForJane(deps);
  await signByClusterIssuer(deps);
  await signSelfSigned(deps);
  await showMetrics(deps);
}

async function setTheScene(deps: StoryDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('1. The scene: a CA, an Issuer, and one of two users who may use it');
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
  const issuers = ['kubectl', 'get', 'issuers', '-n', 'sandbox', '-o', 'wide'];
  await narrator.run(issuers, { within: 10, says: ['True', 'Signing CA verified'] });
  narrator.say('\nBoth users may create CSRs. Only jane may reference the issuer.');
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

async function refuseMallory(deps: StoryDeps): Promise<void> {
  deps.narrator.heading('2. mallory is refused at the door, and told what is missing');
  await createRequest(deps, { name: 'mallory', signerName: 'issuers.cert-manager.io/sandbox.my-issuer' });
  const create = ['kubectl', '--kubeconfig', 'mallory.kubeconfig', 'create', '-f', 'mallory.yaml'];
  await deps.narrator.run(create, { fails: true, says: ['DeniedReference', 'mallory', 'reference', 'sandbox'] });
  await deps.narrator.run(['kubectl', 'get', 'csr'], { says: ['No resources found'] });
}

async function signForJane(deps: StoryDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('3. jane is let in, approved and signed');
  await createRequest(deps, { name: 'jane', signerName: 'issuers.cert-manager.io/sandbox.my-issuer' });
  await narrator.run(['kubectl', '--kubeconfig', 'jane.kubeconfig', 'create', '-f', 'jane.yaml']);
  await approveAndFetch(deps, 'jane');
  await narrator.run(['openssl', 'verify', '-CAfile', 'ca.crt', 'jane.crt'], { says: ['jane.crt: OK'] });
  const fields = ['-subject', '-issuer', '-dates', '-ext', 'subjectAltName,keyUsage,extendedKeyUsage,basicConstraints'];
  await narrator.run(['openssl', 'x509', '-in', 'jane.crt', '-noout', ...fields], { says: ['CN = Sandbox CA'] });
  narrator.say('\nThe CA came with it, in an annotation:');
  const annotation = String.raw`jsonpath='{.metadata.annotations.experimental\.cert-manager\.io/ca}'`;
  await narrator.shell(`kubectl get csr jane -o ${annotation} | openssl base64 -d -A | openssl x509 -noout -subject`);
  const events = ['kubectl', 'get', 'events', '--field-selector', 'involvedObject.name=jane'];
  await narrator.run(events, { within: 5, says: ['CertificateIssued'] });
}

async function signByClusterIssuer(deps: StoryDeps): Promise<void> {
  deps.narrator.heading('4. A ClusterIssuer: for everybody who may create CSRs');
  await deps.narrator.run(secretTls('cluster-ca', deps.namespace, 'ca'));
  await applyManifest(deps, 'clusterissuer.yaml', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'my-cluster-issuer' },
    spec: { ca: { secretName: 'cluster-ca' } },
  });
  await createRequest(deps, { name: 'cluster', signerName: 'clusterissuers.cert-manager.io/my-cluster-issuer' });
  await deps.narrator.run(['kubectl', '--kubeconfig', 'mallory.kubeconfig', 'create', '-f', 'cluster.yaml']);
  await approveAndFetch(deps, 'cluster');
  await deps.narrator.run(['openssl', 'verify', '-CAfile', 'ca.crt', 'cluster.crt'], { says: ['cluster.crt: OK'] });
}

async function signSelfSigned(deps: StoryDeps): Promise<void> {
  const { narrator } = deps;
  narrator.heading('5. A self-signed certificate: the request names the Secret of its own key');
  await applyManifest(deps, 'selfsigned.yaml', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'self-signed' },
    spec: { selfSigned: {} },
  });
  const signerName = 'clusterissuers.cert-manager.io/self-signed';
  const annotations = { 'experimental.cert-manager.io/private-key-secret-name': 'self-key' };
  await createRequest(deps, { name: 'self', signerName, annotations });
  const secret = ['kubectl', 'create', 'secret', 'generic', 'self-key', '-n', deps.namespace];
  await narrator.run([...secret, '--from-file=tls.key=self.key']);
  await narrator.run(['kubectl', '--kubeconfig', 'jane.kubeconfig', 'create', '-f', 'self.yaml']);
  await approveAndFetch(deps, 'self');
  await narrator.run(['openssl', 'verify', '-CAfile', 'self.crt', 'self.crt'], { says: ['self.crt: OK'] });
}

async function showMetrics({ narrator, signerUrl, webhookUrl }: StoryDeps): Promise<void> {
  narrator.heading('6. What Prometheus sees of it');
  const admissions = /^countersign_webhook_admissions_total.* [1-9]/;
  await narrator.fetchLines(`${webhookUrl}/metrics`, admissions, ['reason="DeniedReference"', 'answer="allowed"']);
  const certificates = /^(countersign_certificates_total|leader_election_master_status)/;
  const issued = ['result="issued"', 'leader_election_master_status 1'];
  await narrator.fetchLines(`${signerUrl}/metrics`, certificates, issued);
}

async function approveAndFetch({ narrator }: StoryDeps, name: string): Promise<void> {
  await narrator.run(['kubectl', 'certificate', 'approve', name]);
  await narrator.run(['kubectl', 'get', 'csr', name], { within: 10, says: ['Approved,Issued'] });
  const get = `kubectl get csr ${name} -o jsonpath='{.status.certificate}'`;
  await narrator.shell(`${get} | openssl base64 -d -A > ${name}.crt`);
}

interface RequestOptions {
  readonly name: string;
  readonly signerName: string;
  readonly annotations?: Record<string, string>;
}

/** A key and a PKCS#10 request by openssl, in a CertificateSigningRequest that is written to `<name>.yaml`. */
async function createRequest(deps: StoryDeps, { name, signerName, annotations }: RequestOptions): Promise<void> {
  await deps.narrator.run(generateKey(name));
  const names = ['-subj', `/CN=${name}.example.com`, '-addext', `subjectAltName=DNS:${name}.example.com`];
  await deps.narrator.run(['openssl', 'req', '-new', '-key', `${name}.key`, ...names, '-out', `${name}.csr`]);
  const request = (await readFile(join(deps.dir, `${name}.csr`))).toString('base64');
  const manifest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, ...(annotations && { annotations }) },
    spec: { signerName, usages: LEAF_USAGES, request },
  };
  const shown = {
    ...manifest,
    spec: { ...manifest.spec, request: `${request.slice(0, 40)}… (${name}.csr in base64)` },
  };
  await writeManifest(deps, `${name}.yaml`, manifest, shown);
}

function generateKey(name: string): string[] {
  return ['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`];
}

async function applyManifest(deps: StoryDeps, name: string, manifest: object): Promise<void> {
  await writeManifest(deps, name, manifest, manifest);
  await deps.narrator.run(['kubectl', 'apply', '-f', name]);
}

async function writeManifest(
  { narrator, dir }: Pick<StoryDeps, 'narrator' | 'dir'>,
  name: string,
  manifest: object,
  shown: object,
): Promise<void> {
  await writeFile(join(dir, name), stringify(manifest));
  narrator.show(name, stringify(shown));
}

function secretTls(name: string, namespace: string, files: string): string[] {
  return ['kubectl', 'create', 'secret', 'tls', name, '-n', namespace, `--cert=${files}.crt`, `--key=${files}.key`];
}
