// The flags that both services have.

import { defineOptions } from './config.ts';
import { LOG_LEVELS } from './log.ts';

export const COMMON_OPTIONS = defineOptions({
  kubeconfig: {
    kind: 'string',
    default: '',
    help: 'Path of a kubeconfig. Without it $KUBECONFIG is taken, else ~/.kube/config, else the ServiceAccount of the pod.',
  },
  clusterResourceNamespace: {
    kind: 'string',
    default: '',
    help: 'Namespace of the Secrets that ClusterIssuers name. Without it the own namespace.',
  },
  httpAddress: {
    kind: 'address',
    default: '127.0.0.1:9402',
    help: 'Where /metrics, /healthz and /readyz are served: <host>:<port>, or :<port> for all addresses.',
  },
  logLevel: { kind: 'enum', values: LOG_LEVELS, default: 'info', help: 'The least level that is logged.' },
});
