// The pages of the documentation on a real API server: their commands are run as they stand there, and print what the
// page shows.

import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { followSection, paste } from '../support/pasted-commands.ts';

/** The signer serves from its cache for a second. */
const SECRET_CACHED_MS = 1_500;

/** For alice, who then lacks the verb `approve` alone. */
const MAY_UPDATE_APPROVALS = `kubectl create clusterrole approvals --verb get,list,update \\
  --resource certificatesigningrequests.certificates.k8s.io,certificatesigningrequests.certificates.k8s.io/approval
kubectl create clusterrolebinding approvals --clusterrole approvals --user alice`;

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

/** The sections of a page are followed in the order of the page. */
async function followPage(name: string, headings: readonly string[]): Promise<void> {
  const page = await readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  for (const heading of headings) await followSection(cluster.controlPlane, page, heading);
}

test('the commands of docs/getting-started.md print what the page shows', () =>
  followPage('getting-started.md', [
    'Create an issuer',
    'Request a certificate without the permission',
    'Grant the permission',
    'Request, approve, read',
  ]));

test('the commands of docs/give-a-team-an-issuer.md print what the page shows', async () => {
  await cluster.kubectl(['delete', 'csr', 'my-csr']);
  await followPage('give-a-team-an-issuer.md', ['One Issuer, for a group', 'Every Issuer of a namespace']);
});

test('the commands of docs/pods.md print what the page shows', () =>
  followPage('pods.md', ['Deploy', 'Who may', "What the issuer's owner sets"]));

/** Events of earlier sections have the same name. */
async function createRequest(): Promise<void> {
  await cluster.kubectl(['delete', 'csr', 'my-csr', '--ignore-not-found']);
  await cluster.kubectl(['delete', 'events', '--all', '--namespace', 'default']);
  await paste(cluster.controlPlane, 'kubectl create --as jane -f my-csr.yaml');
}

describe('docs/troubleshooting.md', () => {
  const follow = (heading: string) => followPage('troubleshooting.md', [heading]);

  test('a CSR that the webhook denies prints the error that the page shows', () => follow('Denied by the webhook'));

  test('a CSR that waits for its approval, and one that a user may not approve, look as the page shows', async () => {
    await createRequest();
    await follow('The CSR stays Pending');
    await paste(cluster.controlPlane, MAY_UPDATE_APPROVALS);
    await follow('The CSR cannot be approved');
  });

  test('an annotation that shapes the certificate cannot be changed, with the error that the page shows', () =>
    follow('An annotation cannot be changed'));

  test('a CSR without a certificate after its approval leads to the Secret that is missing', async () => {
    await createRequest();
    await cluster.kubectl(['delete', 'secret', 'my-ca', '--namespace', 'sandbox']);
    await sleep(SECRET_CACHED_MS);
    await cluster.kubectl(['certificate', 'approve', 'my-csr']);
    await follow('No certificate after the approval');
  });

  test('a CSR whose requester lost the permission is Failed, with the condition that the page shows', async () => {
    await createRequest();
    const bindings = ['my-issuer-referencers', 'platform-my-issuer', 'all-issuers'];
    await cluster.kubectl(['delete', 'rolebinding', '--namespace', 'sandbox', ...bindings]);
    await cluster.kubectl(['certificate', 'approve', 'my-csr']);
    await follow('The CSR is Failed');
  });

  test('a webhook that does not answer prints the error that the page shows, and the API server counts it', async () => {
    for (const { child } of cluster.installation.running('webhook')) await child.stop(10_000);
    await follow('The webhook does not answer');
  });
});
