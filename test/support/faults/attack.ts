// What one tenant does to the API server in an attack: has many CSRs approved at once, and rewrites a large Secret without a
// pause. From a thread of its own, so that it does not slow down the one that measures.

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

/** What the thread is given. */
export interface AttackData extends Attack {
  readonly kubeconfig: string;
}

/** Runs `work` during the attack and gives what it gives. The CSRs are deleted in the end. */
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
