// The worker thread of attack.ts: attacks until it is terminated.

import { workerData } from 'node:worker_threads';
import { Api } from '../api.ts';
import { approvalBody, CSRS } from '../requests.ts';
import type { AttackData } from './attack.ts';
import { forEach } from './load.ts';

const { kubeconfig, secret, names } = workerData as AttackData;

async function rewrite(api: Api): Promise<never> {
  const { namespace, name, data } = secret;
  for (let rewrites = 0; ; rewrites += 1) {
    // Different bytes with the same meaning each time.
    const stringData = { ...data, 'tls.crt': `${'\n'.repeat(rewrites % 7)}${data['tls.crt']}` };
    await api.patch(`/api/v1/namespaces/${namespace}/secrets/${name}`, { stringData });
  }
}

const api = await Api.fromKubeconfig(kubeconfig);
await Promise.all([rewrite(api), forEach(names, name => api.patch(`${CSRS}/${name}/approval`, approvalBody()))]);
