// Writes and reads the kubeconfigs of the compose stack: self-contained JSON, which is also YAML. Never disables the
// verification of the server's certificate.

import { readFile } from 'node:fs/promises';
import type { KeyPair } from '../test/support/control-plane/authority.ts';

export interface Access {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly user: string;
  readonly pair: KeyPair;
  /** The default namespace of kubectl and the services. Defaults to `default`. */
  readonly namespace?: string | undefined;
}

export function formatKubeconfig({ server, ca, user, pair, namespace = 'default' }: Access): string {
  const name = 'countersign-compose';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': toBase64(ca) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': toBase64(pair.certPem), 'client-key-data': toBase64(pair.keyPem) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user, namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Reads a kubeconfig that formatKubeconfig wrote. */
export async function readKubeconfig(path: string): Promise<Access> {
  const { clusters, users } = JSON.parse(await readFile(path, 'utf8'));
  const [{ cluster }, { name, user }] = [clusters[0], users[0]];
  return {
    server: cluster.server,
    ca: fromBase64(cluster['certificate-authority-data']),
    user: name,
    pair: { certPem: fromBase64(user['client-certificate-data']), keyPem: fromBase64(user['client-key-data']) },
  };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
