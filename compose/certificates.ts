// The first container of the compose stack: creates the CAs, keys and kubeconfigs of all others, each in the volume of
// its reader. CAs are reused while their volume exists; everything else is recreated at each start.

import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  createSigningKey,
  type KeyPair,
  openAuthority,
  type User,
} from '../test/support/control-plane/authority.ts';
import { runInStack } from './in-stack.ts';
import { type Access, formatKubeconfig } from './kubeconfig.ts';

/** Contains a folder per reader. */
const OUT = '/out';

const INSIDE = 'https://kube-apiserver:6443';
const NAMESPACE = 'countersign';

const USERS: readonly User[] = [{ user: 'admin', groups: ['system:masters'] }, { user: 'jane' }, { user: 'mallory' }];

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT: Owner = { uid: 0, gid: 0 };
/** The user of the Countersign images. */
const NONROOT: Owner = { uid: 65_532, gid: 65_532 };

async function main(): Promise<void> {
  const ca = await open('ca');
  // A separate CA, so that no user of the API server can access etcd directly.
  const etcdCa = await open('etcd-ca');
  const demoCa = await open('demo-ca');
  await writeServerKeys(ca, etcdCa);
  await write('setup', 'demo-ca.crt', demoCa.certPem, NONROOT);
  await write('setup', 'demo-ca.key', await readFile(pathOf('authorities', 'demo-ca.key'), 'utf8'), NONROOT);
  for (const service of ['webhook', 'signer', 'approver']) {
    const access = { server: INSIDE, namespace: NAMESPACE };
    await write(service, 'kubeconfig', await kubeconfig(ca, serviceUser(service), access), NONROOT);
  }
  const hostOwner = await stat(join(OUT, 'host'));
  const outside = `https://127.0.0.1:${process.env['KUBE_APISERVER_PORT']}`;
  for (const user of USERS) {
    const name = `${user.user}.kubeconfig`;
    await write('people', name, await kubeconfig(ca, user, { server: INSIDE }), NONROOT);
    await write('host', name, await kubeconfig(ca, user, { server: outside }), hostOwner);
  }
}

async function writeServerKeys(ca: Authority, etcdCa: Authority): Promise<void> {
  await write('etcd', 'ca.crt', etcdCa.certPem);
  await write('etcd', 'etcd.pem', certificateAndKey(await etcdCa.issueServing('etcd', ['etcd', 'localhost'])));
  await write('apiserver', 'etcd-ca.crt', etcdCa.certPem);
  await write('apiserver', 'etcd-client.pem', certificateAndKey(await etcdCa.issueClient({ user: 'kube-apiserver' })));
  await write('apiserver', 'ca.crt', ca.certPem);
  const names = ['kube-apiserver', 'localhost', 'kubernetes', 'kubernetes.default.svc'];
  await write('apiserver', 'serving.pem', certificateAndKey(await ca.issueServing('kube-apiserver', names)));
  await write('apiserver', 'service-accounts.key', await loadOrCreate('service-accounts.key', createSigningKey));
}

/** The services have the names of the chart's ServiceAccounts, so that its RBAC roles apply to them. */
function serviceUser(service: string): User {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`];
  return { user: `system:serviceaccount:${NAMESPACE}:countersign-${service}`, groups };
}

async function kubeconfig(ca: Authority, user: User, rest: Pick<Access, 'server' | 'namespace'>): Promise<string> {
  return formatKubeconfig({ ...rest, ca: ca.certPem, user: user.user, pair: await ca.issueClient(user) });
}

function open(name: string): Promise<Authority> {
  const path = pathOf('authorities', name);
  return openAuthority(`countersign compose ${name}`, `${path}.crt`, `${path}.key`);
}

/** Returns the stored content, or creates and stores it. */
async function loadOrCreate(name: string, create: () => Promise<string>): Promise<string> {
  const stored = await readFile(pathOf('authorities', name), 'utf8').catch(error => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stored !== undefined) return stored;
  const created = await create();
  await write('authorities', name, created);
  return created;
}

function pathOf(reader: string, name: string): string {
  return join(OUT, reader, name);
}

/** In one file, so that a server that reloads it never sees a partial change. */
function certificateAndKey({ certPem, keyPem }: KeyPair): string {
  return certPem + keyPem;
}

async function write(reader: string, name: string, content: string, owner: Owner = ROOT): Promise<void> {
  const path = pathOf(reader, name);
  await writeFile(`${path}.partial`, content, { mode: 0o400 });
  await chown(`${path}.partial`, owner.uid, owner.gid);
  await rename(`${path}.partial`, path);
}

await runInStack(main);
