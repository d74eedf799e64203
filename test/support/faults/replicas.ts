// The usual setup of a scenario: two replicas of the signer, and a ClusterIssuer that is Ready.

import { type Cluster, type ClusterOptions, startCluster } from '../cluster.ts';
import { readPki } from '../pki.ts';
import { FaultProxy } from './fault-proxy.ts';

const ROOT = { certificate: readPki('certificates/root'), key: readPki('keys/p256-root') };

export interface Replicas {
  readonly cluster: Cluster;
  readonly signerName: string;
}

/** Resolves when everything is running; the caller stops the cluster. On failure nothing keeps running. */
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

export interface ProxiedReplicas extends Replicas {
  /** Between the signers and the API server. */
  readonly proxy: FaultProxy;
  stop(): Promise<void>;
}

/** The same with a proxy. On failure nothing keeps running. */
export async function startProxiedReplicas(): Promise<ProxiedReplicas> {
  let starting: Promise<FaultProxy> | undefined;
  const signerUrl = async (url: string) => {
    starting ??= FaultProxy.start(url);
    return (await starting).url;
  };
  const replicas = await startReplicas({ signerUrl }).catch(async error => {
    await (await starting)?.stop();
    throw error;
  });
  const proxy = await starting;
  if (proxy === undefined) throw new TypeError('the signers were started without a proxy');
  const stop = async () => {
    await replicas.cluster.stop();
    await proxy.stop();
  };
  return { ...replicas, proxy, stop };
}
