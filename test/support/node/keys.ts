// Certificates and kubeconfigs of the node's components. Each component is the user that Kubernetes' default roles
// expect, and the kubelet is restricted to its node (NodeRestriction).

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair, User } from '../control-plane/authority.ts';
import { writeKubeconfig } from '../control-plane/kubeconfig.ts';
import { type Keys, prepareKeys } from '../control-plane/servers.ts';
import { NODE_NAME } from './configuration.ts';
import { NODE_ADDRESS } from './node-sandbox.ts';

/** Always free inside the node's network namespace. */
export const API_PORT = 6443;

/** The first address of the Service range, which the API server uses. */
const API_SERVICE_ADDRESS = '10.96.0.1';

const COMPONENTS: Readonly<Record<string, User>> = {
  kubelet: { user: `system:node:${NODE_NAME}`, groups: ['system:nodes'] },
  'kube-controller-manager': { user: 'system:kube-controller-manager' },
  'kube-scheduler': { user: 'system:kube-scheduler' },
  'kube-proxy': { user: 'system:kube-proxy' },
};

export function componentKubeconfig(dir: string, name: string): string {
  return join(dir, 'pki', `${name}.kubeconfig`);
}

export async function prepareNodeKeys(dir: string): Promise<Keys> {
  const keys = await prepareKeys(dir);
  const { authority } = keys;
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const addresses = ['127.0.0.1', NODE_ADDRESS];
  await Promise.all([
    authority
      .issueServing('kube-apiserver', names, [...addresses, API_SERVICE_ADDRESS])
      .then(pair => writePair(dir, 'apiserver', pair)),
    authority.issueServing('kubelet', [NODE_NAME], addresses).then(pair => writePair(dir, 'kubelet', pair)),
    authority
      .issueClient({ user: 'kube-apiserver', groups: ['system:masters'] })
      .then(pair => writePair(dir, 'kubelet-client', pair)),
    ...Object.entries(COMPONENTS).map(([name, user]) => writeComponent(dir, keys, name, user)),
  ]);
  return keys;
}

async function writeComponent(dir: string, { authority }: Keys, name: string, user: User): Promise<void> {
  const server = { url: `https://127.0.0.1:${API_PORT}`, caPem: authority.certPem };
  await writeKubeconfig(componentKubeconfig(dir, name), server, user.user, await authority.issueClient(user));
}

async function writePair(dir: string, name: string, { certPem, keyPem }: KeyPair): Promise<void> {
  await writeFile(join(dir, 'pki', `${name}.key`), keyPem, { mode: 0o600 });
  await writeFile(join(dir, 'pki', `${name}.crt`), certPem);
}
