// The environment that kubectl and helm are run in: one cluster's kubeconfig and nothing of the user's. It starts nothing.

import { join } from 'node:path';
import type { Environment } from './tools.ts';

/** Ports are used again, so a discovery cache or a repository list from elsewhere must not be found. */
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
