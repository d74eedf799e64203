// Command lines and key files of etcd, kube-apiserver and kube-controller-manager. All of them listen on 127.0.0.1 and
// authenticate with certificates. Starts no process.

import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, createSigningKey, type KeyPair, loadAuthority, openAuthority } from './authority.ts';

export interface Keys {
  /** The CA of the API server and its users. etcd trusts a different CA, so that no user can bypass the API server. */
  readonly authority: Authority;
  readonly admin: KeyPair;
}

const SERVING_NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];

/** Creates missing files in DIR/pki and keeps existing authorities. */
export async function prepareKeys(dir: string): Promise<Keys> {
  const pki = join(dir, 'pki');
  await mkdir(pki, { recursive: true, mode: 0o700 });
  const [authority, etcdAuthority] = await Promise.all([openPkiAuthority(dir, 'ca'), openPkiAuthority(dir, 'etcd-ca')]);
  const [admin] = await Promise.all([
    authority.issueClient({ user: 'admin', groups: ['system:masters'] }),
    authority.issueServing('kube-apiserver', SERVING_NAMES).then(pair => writePair(pki, 'apiserver', pair)),
    etcdAuthority.issueServing('etcd', ['localhost']).then(pair => writePair(pki, 'etcd', pair)),
    etcdAuthority.issueClient({ user: 'kube-apiserver' }).then(pair => writePair(pki, 'etcd-client', pair)),
    createSigningKey().then(key => writeOnce(join(pki, 'service-accounts.key'), key)),
  ]);
  return { authority, admin };
}

/** Returns the user CA of the control plane in DIR, or undefined if there is none. */
export function findClusterAuthority(dir: string): Promise<Authority | undefined> {
  return loadAuthority(join(dir, 'pki', 'ca.crt'), join(dir, 'pki', 'ca.key'));
}

export function etcdArguments(dir: string, port: number, peerPort: number): string[] {
  const pki = join(dir, 'pki');
  const [url, peerUrl] = [`https://127.0.0.1:${port}`, `https://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    ...['', 'peer-'].flatMap(prefix => [
      `--${prefix}cert-file=${join(pki, 'etcd.crt')}`,
      `--${prefix}key-file=${join(pki, 'etcd.key')}`,
      `--${prefix}trusted-ca-file=${join(pki, 'etcd-ca.crt')}`,
      `--${prefix}client-cert-auth`,
    ]),
    // Starts faster; the data need not survive a power failure.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export function apiServerArguments(dir: string, port: number, etcdPort: number): string[] {
  const pki = join(dir, 'pki');
  return [
    `--etcd-servers=https://127.0.0.1:${etcdPort}`,
    `--etcd-cafile=${join(pki, 'etcd-ca.crt')}`,
    `--etcd-certfile=${join(pki, 'etcd-client.crt')}`,
    `--etcd-keyfile=${join(pki, 'etcd-client.key')}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(pki, 'apiserver.crt')}`,
    `--tls-private-key-file=${join(pki, 'apiserver.key')}`,
    `--client-ca-file=${join(pki, 'ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    // As in every real cluster: it vouches for what a kubelet says about its pods.
    '--enable-admission-plugins=NodeRestriction',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(pki, 'service-accounts.key')}`,
    `--service-account-signing-key-file=${join(pki, 'service-accounts.key')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // Loopback addresses are not valid in endpoints.
    '--endpoint-reconciler-type=none',
  ];
}

export function controllerManagerArguments(dir: string, port: number, kubeconfig: string): string[] {
  const pki = join(dir, 'pki');
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(pki, 'apiserver.crt')}`,
    `--tls-private-key-file=${join(pki, 'apiserver.key')}`,
    `--client-ca-file=${join(pki, 'ca.crt')}`,
    `--root-ca-file=${join(pki, 'ca.crt')}`,
    `--service-account-private-key-file=${join(pki, 'service-accounts.key')}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
  ];
}

function openPkiAuthority(dir: string, name: string): Promise<Authority> {
  const pki = join(dir, 'pki');
  return openAuthority(`countersign control plane ${name}`, join(pki, `${name}.crt`), join(pki, `${name}.key`));
}

async function writePair(folder: string, name: string, { certPem, keyPem }: KeyPair): Promise<void> {
  await writeFile(join(folder, `${name}.key`), keyPem, { mode: 0o600 });
  await writeFile(join(folder, `${name}.crt`), certPem);
}

/** Keeps an existing key, because a new one would invalidate all tokens that were issued from this folder. */
async function writeOnce(path: string, content: string): Promise<void> {
  await access(path).catch(() => writeFile(path, content, { mode: 0o600 }));
}
