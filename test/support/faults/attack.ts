// The API calls of an attacking tenant: approves many CSRs at once and continuously rewrites a large Secret. Runs in a
// separate thread, so that it does not slow down the measurement.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Cluster } from '../cluster.ts';
import { CSRS } from '../requests.ts';
import { createAll, forEach } from './load.ts';

export interface Attack {
  readonly secret: {
    readonly namespace: string;
    readonly name: string;
    readonly data: Readonly<Record<string, string>>;
  };
  readonly signerName: string;
  /** The names of the CSRs. */
  readonly names: readonly string[];
}

/** The input of the thread. */
export interface AttackData extends Attack {
  readonly kubeconfig: string;
}

/** Runs `work` during the attack, returns its result, and deletes the CSRs. */
export async function underAttack<T>(cluster: Cluster, attack: Attack, work: () => Promise<T>): Promise<T> {
  await createAll(cluster, attack.names, attack.signerName);
  const workerData: AttackData = { ...attack, kubeconfig: cluster.controlPlane.adminKubeconfig };
  const worker = new Worker(new URL('attack-thread.ts', import.meta.url), { workerData });
  try {
    await once(worker, 'online');
    return await work();
  } finally {
    await worker.terminate();
    await forEach(attack.names, name => cluster.api.remove(`${CSRS}/${name}`));
  }
}
