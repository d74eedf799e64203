// The flags of the signer, and the environment variables of the same names.

import { defineOptions } from '@countersign/common/runtime/config.ts';
import { LOG_LEVELS } from '@countersign/common/runtime/log.ts';

export const OPTIONS = defineOptions({
  kubeconfig: {
    kind: 'string',
    default: '',
    help: 'Path of a kubeconfig. Without it $KUBECONFIG is taken, else the ServiceAccount of the pod.',
  },
  clusterResourceNamespace: {
    kind: 'string',
    default: '',
    help: 'Namespace of the Secrets that ClusterIssuers name. Without it the own namespace.',
  },
  httpAddress: {
    kind: 'string',
    default: '127.0.0.1:9402',
    help: 'Where /metrics, /healthz and /readyz are served: <host>:<port>.',
  },
  logLevel: { kind: 'enum', values: LOG_LEVELS, default: 'info', help: 'The least level that is logged.' },
  workers: { kind: 'integer', default: 32, min: 1, max: 1000, help: 'How many CSRs are worked on at the same time.' },
  leaderElect: {
    kind: 'boolean',
    default: true,
    help: 'Whether to sign only while holding the Lease countersign-signer in the own namespace. Needed with more than one replica.',
  },
  issuerStatus: {
    kind: 'enum',
    values: ['auto', 'always', 'never'],
    default: 'auto',
    help: 'Who sets the Ready condition of issuers: this signer unless cert-manager runs in the cluster (auto), always this signer, or never.',
  },
  caAnnotation: {
    kind: 'boolean',
    default: true,
    help: 'Whether the annotation experimental.cert-manager.io/ca is written with the certificate.',
  },
});
