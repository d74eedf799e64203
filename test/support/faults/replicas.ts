// What most scenarios begin with: two replicas of the signer, and a ClusterIssuer that is Ready.

import { type Cluster, type ClusterOptions, startCluster } from '../cluster.ts';
import { readPki } from '../pki.ts';

const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };

export interface Replicas {
  readonly cluster: Cluster;
  readonly signerName: string;
}

/** Everything is up when it resolves; whoever starts it stops the cluster. On failure nothing is left running. */
export async function startReplicas(options: ClusterOptions = {}): Promise<Replicas> {
  const cluster = await startCluster({ signers: 2, ...options });
  try {
    const signerName = await cluster.createCaIssuer({ name: 'root' }, ROOT);
    await cluster.whenReady({ name: 'root' });
    return { cluster, signerName };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
