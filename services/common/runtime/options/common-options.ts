// The flags that both services have.

import { MILLISECOND } from '../../duration.ts';
import type { RequestPolicy } from '../../request-policy.ts';
import { MINIMUM_DURATION } from '../../requested-duration.ts';
import { LOG_LEVELS } from '../process/log.ts';
import { type Config, defineOptions } from './config.ts';

export const COMMON_OPTIONS = defineOptions({
  kubeconfig: {
    kind: 'string',
    default: '',
    alias: 'KUBECONFIG',
    help: 'Path of a kubeconfig, or several separated by ":", merged as kubectl does. Defaults to $KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod.',
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
  maxDuration: {
    kind: 'duration',
    default: '0s',
    help: 'The longest that a certificate may be asked for, and what one gets at most that asks for no duration; at least 10m, 0s for any. The same for webhook and signer.',
  },
  authorizeClusterIssuers: {
    kind: 'boolean',
    default: false,
    help: 'Whether requesters need the verb reference on clusterissuers, as they do on signers for an Issuer. The same for webhook and signer.',
  },
  honourNameConstraints: {
    kind: 'boolean',
    default: true,
    help: 'Whether to refuse a request for names that the CA of its issuer may not sign by its X.509 name constraints. The same for webhook and signer.',
  },
  logLevel: { kind: 'enum', values: LOG_LEVELS, default: 'info', help: 'The least level that is logged.' },
});

type CommonConfig = Config<typeof COMMON_OPTIONS>;

export function requestPolicy(config: CommonConfig): RequestPolicy {
  const { maxDuration, authorizeClusterIssuers, honourNameConstraints } = config;
  return {
    maxDuration: maxDuration === 0 ? undefined : BigInt(maxDuration) * MILLISECOND,
    authorizeClusterIssuers,
    honourNameConstraints,
  };
}

export function findPolicyMistakes(config: CommonConfig): string[] {
  const { maxDuration } = requestPolicy(config);
  const isTooShort = maxDuration !== undefined && maxDuration < MINIMUM_DURATION;
  return isTooShort
    ? ['--max-duration: must be at least 10m, which is the least a certificate may be asked for, or 0s']
    : [];
}
