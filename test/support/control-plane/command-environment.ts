// The environment for kubectl and helm: the kubeconfig of one cluster, and no configuration of the user.
// Starts nothing.

import { join } from 'node:path';
import type { Environment } from './tools.ts';

/** Ports are reused, so cached discovery data and repository lists of other clusters must not be visible. */
export function commandEnvironment(dir: string, kubeconfig: string): Environment {
  const home = (name: string) => join(dir, 'home', name);
  return {
    ...process.env,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: home('kubectl'),
    KUBECTL_KUBERC: 'false',
    HELM_CACHE_HOME: home('helm-cache'),
    HELM_CONFIG_HOME: home('helm-config'),
    HELM_DATA_HOME: home('helm-data'),
  };
}
