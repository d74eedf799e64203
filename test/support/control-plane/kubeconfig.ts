// Writes self-contained kubeconfigs: server, CA, and a user's certificate. Never disables the verification of the
// server's certificate.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { KeyPair } from './authority.ts';

export interface Server {
  readonly url: string;
  readonly caPem: string;
}

export async function writeKubeconfig(path: string, server: Server, name: string, pair: KeyPair): Promise<string> {
  const draft = `${path}.${process.pid}.partial`;
  await writeFile(draft, formatKubeconfig(server, name, pair), { mode: 0o600 });
  await rename(draft, path);
  return path;
}

/** Returns a unique file name for the kubeconfig of a user with a set of groups, whatever characters they contain. */
export function kubeconfigName(user: string, groups: readonly string[] = []): string {
  return `${[user, ...groups].map(encodeURIComponent).join('+')}.kubeconfig`;
}

/** Returns the server of a kubeconfig written by this module, or undefined if the file does not exist. */
export async function readServer(path: string): Promise<Server | undefined> {
  const text = await readFile(path, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { cluster } = parse(text).clusters[0];
  return { url: cluster.server, caPem: Buffer.from(cluster['certificate-authority-data'], 'base64').toString() };
}

function formatKubeconfig(server: Server, name: string, { certPem, keyPem }: KeyPair): string {
  const cluster = { server: server.url, 'certificate-authority-data': base64(server.caPem) };
  const user = { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'countersign', cluster }],
    users: [{ name, user }],
    contexts: [{ name: 'countersign', context: { cluster: 'countersign', user: name } }],
    'current-context': 'countersign',
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
