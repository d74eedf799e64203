// The first container of the compose stack: makes the authorities, keys and kubeconfigs of all others, each into the volume of
// the one that reads it. The authorities are kept for as long as their volume; all else is made anew at each start.

import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Access, formatKubeconfig } from './kubeconfig.ts';
import { createAuthority, createKey, issueClient, issueServing, type KeyPair, type User } from './x509.ts';

/** One folder for each reader. */
const OUT = '/out';

const INSIDE = 'https://kube-apiserver:6443';
const NAMESPACE = 'countersign';

const PEOPLE: readonly User[] = [{ name: 'admin', groups: ['system:masters'] }, { name: 'jane' }, { name: 'mallory' }];

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT: Owner = { uid: 0, gid: 0 };
/** The user of our images. */
const NONROOT: Owner = { uid: 65_532, gid: 65_532 };

async function main(): Promise<void> {
  const ca = await openAuthority('ca');
  // Of its own, so that no user of the API server can pass it by.
  const etcdCa = await openAuthority('etcd-ca');
  const demoCa = await openAuthority('demo-ca');
  await writeServerKeys(ca, etcdCa);
  await write('setup', 'demo-ca.json', JSON.stringify(demoCa), NONROOT);
  for (const service of ['webhook', 'signer']) {
    const access = { server: INSIDE, namespace: NAMESPACE };
    await write(service, 'kubeconfig', kubeconfig(ca, serviceUser(service), access), NONROOT);
  }
  const hostOwner = await stat(join(OUT, 'host'));
  const outside = `https://127.0.0.1:${process.env['KUBE_APISERVER_PORT']}`;
  for (const person of PEOPLE) {
    const name = `${person.name}.kubeconfig`;
    await write('people', name, kubeconfig(ca, person, { server: INSIDE }), NONROOT);
    await write('host', name, kubeconfig(ca, person, { server: outside }), hostOwner);
  }
}

async function writeServerKeys(ca: KeyPair, etcdCa: KeyPair): Promise<void> {
  await write('etcd', 'ca.crt', etcdCa.cert);
  await write('etcd', 'etcd.pem', both(issueServing(etcdCa, ['etcd', 'localhost', '127.0.0.1'])));
  await write('apiserver', 'etcd-ca.crt', etcdCa.cert);
  await write('apiserver', 'etcd-client.pem', both(issueClient(etcdCa, { name: 'kube-apiserver' })));
  await write('apiserver', 'ca.crt', ca.cert);
  const names = ['kube-apiserver', 'localhost', 'kubernetes', 'kubernetes.default.svc', '127.0.0.1'];
  await write('apiserver', 'serving.pem', both(issueServing(ca, names)));
  await write('apiserver', 'service-accounts.key', await keep('service-accounts.key', createTokenKey));
}

/** The services are who the chart's ServiceAccounts are, so that its roles hold for them. */
function serviceUser(service: string): User {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`];
  return { name: `system:serviceaccount:${NAMESPACE}:countersign-${service}`, groups };
}

function kubeconfig(ca: KeyPair, user: User, rest: Pick<Access, 'server' | 'namespace'>): string {
  return formatKubeconfig({ ...rest, ca: ca.cert, user: user.name, pair: issueClient(ca, user) });
}

async function openAuthority(name: string): Promise<KeyPair> {
  const text = await keep(`${name}.json`, () => JSON.stringify(createAuthority(`countersign compose ${name}`)));
  return JSON.parse(text);
}

/** The key that signs tokens of ServiceAccounts. Kubernetes reads an EC key as its own public half only in this form. */
function createTokenKey(): string {
  return createKey().export({ type: 'sec1', format: 'pem' });
}

/** What was made before, or else what `make` makes. */
async function keep(name: string, make: () => string): Promise<string> {
  const kept = await readFile(join(OUT, 'authorities', name), 'utf8').catch(error => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept !== undefined) return kept;
  const made = make();
  await write('authorities', name, made);
  return made;
}

/** In one file, so that a server that reads it again never sees half of a change. */
function both({ cert, key }: KeyPair): string {
  return cert + key;
}

async function write(reader: string, name: string, content: string, owner: Owner = ROOT): Promise<void> {
  const path = join(OUT, reader, name);
  await writeFile(`${path}.partial`, content, { mode: 0o400 });
  await chown(`${path}.partial`, owner.uid, owner.gid);
  await rename(`${path}.partial`, path);
}

await main();
