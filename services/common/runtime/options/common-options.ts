// The flags that signer and webhook share; the approver has some of them.

import { MILLISECOND } from '../../duration.ts';
import { parseExternalTypes } from '../../issuers/external-types.ts';
import type { RequestPolicy } from '../../request-policy.ts';
import { MINIMUM_DURATION } from '../../requested-duration.ts';
import { LOG_LEVELS } from '../process/log.ts';
import { type Config, defineOptions } from './config.ts';
import { formatDuration } from './duration-limits.ts';

export const COMMON_OPTIONS = defineOptions({
  kubeconfig: {
    kind: 'string',
    default: '',
    alias: 'KUBECONFIG',
    help: 'Path of a kubeconfig, or several paths separated by ":" and merged as kubectl does. Defaults to $KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod.',
  },
  clusterResourceNamespace: {
    kind: 'string',
    default: '',
    help: 'Namespace of the Secrets that ClusterIssuers reference. Defaults to the namespace of the pod.',
  },
  httpAddress: {
    kind: 'address',
    default: '127.0.0.1:9402',
    help: 'Listen address for /metrics, /healthz and /readyz: <host>:<port>, or :<port> for all addresses.',
  },
  maxDuration: {
    kind: 'duration',
    default: '0s',
    help: 'Maximum requested duration, and the cap on the default duration. At least 10m; 0s means no limit. Set it to the same value on webhook and signer.',
  },
  authorizeClusterIssuers: {
    kind: 'boolean',
    default: false,
    help: 'Whether requesters need the verb "reference" on clusterissuers to use a ClusterIssuer. Set it to the same value on webhook and signer.',
  },
  honourNameConstraints: {
    kind: 'boolean',
    default: true,
    help: 'Whether to deny requests for names that the X.509 name constraints of the issuer CA do not permit. Set it to the same value on webhook and signer.',
  },
  delegate: {
    kind: 'boolean',
    default: false,
    help: 'Whether to have cert-manager issue for ACME and Venafi issuers, with a CertificateRequest for each CSR. Set it to the same value on webhook and signer.',
  },
  externalIssuers: {
    kind: 'string',
    default: '',
    help: 'With --delegate: comma-separated types of external issuers, each as <plural>.<group>=<kind>:<scope> of its CustomResourceDefinition, such as awspcaissuers.awspca.cert-manager.io=AWSPCAIssuer:Namespaced. Empty: none. Set it to the same value on webhook, signer and approver.',
  },
  logLevel: { kind: 'enum', values: LOG_LEVELS, default: 'info', help: 'Minimum log level.' },
});

type CommonConfig = Config<typeof COMMON_OPTIONS>;

export function requestPolicy(config: CommonConfig): RequestPolicy {
  const { maxDuration, authorizeClusterIssuers, honourNameConstraints, delegate: delegates } = config;
  const { types: externalIssuers } = parseExternalTypes(config.externalIssuers);
  return {
    maxDuration: maxDuration === 0 ? undefined : BigInt(maxDuration) * MILLISECOND,
    authorizeClusterIssuers,
    honourNameConstraints,
    delegates,
    externalIssuers,
  };
}

export function findExternalMistakes({ externalIssuers }: Pick<CommonConfig, 'externalIssuers'>): string[] {
  return parseExternalTypes(externalIssuers).mistakes.map(mistake => `--external-issuers: ${mistake}`);
}

export function findDelegationMistakes(config: Pick<CommonConfig, 'delegate' | 'externalIssuers'>): string[] {
  const isUseless = config.externalIssuers !== '' && !config.delegate;
  return [
    ...findExternalMistakes(config),
    ...(isUseless ? ['--external-issuers: has no effect without --delegate'] : []),
  ];
}

export function findPolicyMistakes({ maxDuration: ms }: Pick<CommonConfig, 'maxDuration'>): string[] {
  if (ms === 0 || BigInt(ms) * MILLISECOND >= MINIMUM_DURATION) return [];
  return [
    `--max-duration: ${formatDuration(ms)} is less than the minimum, 10m (the minimum duration of a certificate); 0s means no limit`,
  ];
}
