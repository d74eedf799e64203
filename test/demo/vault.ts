// The step of the demo in which a Vault server signs: OpenBao, which has Vault's API, with a secrets engine that an
// administrator sets up with the CLI. Without OpenBao, the step says why.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenBao } from '../support/openbao.ts';
import { applyManifest } from './manifests.ts';
import { createRequest } from './openssl-requests.ts';
import { approveAndFetch } from './requests.ts';
import type { DemoStepsDeps } from './steps.ts';

/** The server, or why there is none. */
export type DemoVault = Pick<OpenBao, 'url'> | { readonly missing: string };

const POLICY = 'path "pki/sign/web" { capabilities = ["update"] }\n';

export async function issueWithVault(deps: DemoStepsDeps): Promise<void> {
  const { narrator, vault } = deps;
  narrator.heading('6. Sign with Vault');
  if ('missing' in vault) {
    return narrator.explain(`Skipped, because OpenBao is not available: ${vault.missing}`);
  }
  await setUpServer(deps);
  await createIssuer(deps, vault.url);
  narrator.explain('\njane creates a CSR. Vault signs it as its role allows, with a key that never leaves it:');
  await createRequest(deps, { name: 'vault', signerName: 'clusterissuers.cert-manager.io/vault' });
  await narrator.run(['kubectl', '--kubeconfig', 'jane.kubeconfig', 'create', '-f', 'vault.yaml']);
  await approveAndFetch(deps, 'vault');
  const verify = ['openssl', 'verify', '-CAfile', 'vault-ca.crt', 'vault.crt'];
  await narrator.run(verify, { prints: ['vault.crt: OK'] });
  narrator.explain(
    '\nThe role allows a day, less than the 90 days that a CSR requests by default. The event tells the requester:',
  );
  const events = ['kubectl', 'get', 'events', '--field-selector', 'reason=CertificateDiffers'];
  await narrator.run(events, { within: 10, prints: ['certificatesigningrequest/vault'] });
}

async function setUpServer({ narrator, dir }: DemoStepsDeps): Promise<void> {
  narrator.explain('OpenBao, which has the API of Vault, is running. Create a CA in it, and a role for web servers:');
  await narrator.run(['bao', 'secrets', 'enable', 'pki']);
  const ca = 'bao write -field=certificate pki/root/generate/internal common_name="Vault CA" ttl=720h';
  // It warns that the CA publishes no revocation list.
  await narrator.shell(`${ca} > vault-ca.crt 2> bao.log`);
  const names = ['allowed_domains=example.com', 'allow_subdomains=true'];
  const role = [...names, 'key_type=any', 'client_flag=false', 'max_ttl=24h'];
  await narrator.run(['bao', 'write', '-field=max_ttl', 'pki/roles/web', ...role]);
  narrator.explain('\nCreate a token that may do nothing but sign with this role:');
  await writeFile(join(dir, 'signs.hcl'), POLICY);
  narrator.show('signs.hcl', POLICY);
  await narrator.run(['bao', 'policy', 'write', 'signs', 'signs.hcl']);
  await narrator.shell('bao token create -policy=signs -field=token > vault.token');
}

async function createIssuer(deps: DemoStepsDeps, server: string): Promise<void> {
  const { narrator, namespace } = deps;
  narrator.explain('\nCreate a ClusterIssuer that uses it:');
  const secret = ['kubectl', 'create', 'secret', 'generic', 'vault', '-n', namespace];
  await narrator.run([...secret, '--from-file=token=vault.token']);
  await applyManifest(deps, 'vault-issuer.yaml', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'vault' },
    spec: { vault: { server, path: 'pki/sign/web', auth: { tokenSecretRef: { name: 'vault', key: 'token' } } } },
  });
  const get = ['kubectl', 'get', 'clusterissuer', 'vault', '-o', 'wide'];
  await narrator.run(get, { within: 10, prints: ['True', 'Vault verified'] });
}
