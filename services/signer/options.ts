// The signer's flags, the matching environment variables, and the rules between them. Reads nothing itself.

import { isDnsName } from '@countersign/common/dns-name.ts';
import { MILLISECOND } from '@countersign/common/duration.ts';
import {
  COMMON_OPTIONS,
  findPolicyMistakes,
  requestPolicy,
} from '@countersign/common/runtime/options/common-options.ts';
import { type Config, defineOptions } from '@countersign/common/runtime/options/config.ts';
import { isTrustDomain } from '@countersign/common/spiffe-id.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import type { PodSettings } from './requests/pod-certificate/pod-kind.ts';
import { MAX_POD_BACKDATE_MS } from './requests/pod-certificate/pod-requested-certificate.ts';

export const OPTIONS = defineOptions({
  ...COMMON_OPTIONS,
  workers: { kind: 'integer', default: 32, min: 1, max: 1000, help: 'Maximum number of CSRs processed concurrently.' },
  leaderElect: {
    kind: 'boolean',
    default: true,
    help: 'Whether to sign only while holding the Lease countersign-signer in the namespace of the pod. Required with more than one replica.',
  },
  leaseDuration: {
    kind: 'duration',
    default: '15s',
    help: 'Time after which another replica takes over from a crashed leader; whole seconds, 5s to 5m. The leader renews its Lease every 2/15 of it, at least every 5s.',
  },
  issuerStatus: {
    kind: 'enum',
    values: ['auto', 'always', 'never'],
    default: 'auto',
    help: 'Whether to set the Ready condition of issuers: only while cert-manager is not running (auto), always or never.',
  },
  caAnnotation: {
    kind: 'boolean',
    default: true,
    help: 'Whether to write the annotation experimental.cert-manager.io/ca with the certificate.',
  },
  clampToCa: {
    kind: 'boolean',
    default: false,
    help: 'Whether to limit notAfter to that of the CA. Requests wait while the CA is expired.',
  },
  refuseExpiredCa: { kind: 'boolean', default: false, help: 'Whether requests wait while the CA is expired.' },
  backdate: {
    kind: 'duration',
    default: '0s',
    help: 'How far to backdate notBefore, to allow for clock skew; at most 24h. Does not change notAfter.',
  },
  leafKeyIdentifier: {
    kind: 'boolean',
    default: false,
    help: 'Whether leaf certificates also carry a subjectKeyIdentifier.',
  },
  rootInChain: {
    kind: 'boolean',
    default: false,
    help: 'Whether to append the root CA to status.certificate, if the Secret of the CA contains it.',
  },
  podCertificates: {
    kind: 'boolean',
    default: true,
    help: 'Whether to sign PodCertificateRequests, where the API server has them (Kubernetes 1.37).',
  },
  trustDomain: {
    kind: 'string',
    default: 'cluster.local',
    help: 'SPIFFE trust domain of pod certificates; lower-case letters, digits, dots, hyphens and underscores. An issuer can set its own.',
  },
  clusterDomain: {
    kind: 'string',
    default: 'cluster.local',
    help: 'DNS domain of the cluster: pods may request the names of Services below it.',
  },
  podMaxDuration: {
    kind: 'duration',
    default: '24h',
    help: 'Maximum lifetime of pod certificates; 1h to 2184h (91 days), whole seconds.',
  },
  podBackdate: {
    kind: 'duration',
    default: '1m',
    help: 'How far to backdate notBefore of pod certificates (clock skew), at most 4m. The lifetime includes it.',
  },
});

export type SignerConfig = Config<typeof OPTIONS>;

/** Catches a wrong unit before it ends up in certificates. */
const MAX_BACKDATE_MS = 86_400_000;

/**
 * Below the minimum, an API server that is slow for a few seconds costs leadership; above the maximum, a crash stops
 * signing for too long.
 */
const LEASE_DURATION_MS = { min: 5_000, max: 300_000 };

/** Returns errors in combinations of options that are individually well-formed. */
export function findMistakes(config: SignerConfig): string[] {
  const isTooFar = config.backdate > MAX_BACKDATE_MS;
  return [
    ...findPolicyMistakes(config),
    ...(isTooFar ? ['--backdate: must be at most 24h'] : []),
    ...(isLeaseDuration(config.leaseDuration) ? [] : ['--lease-duration: must be whole seconds, 5s to 5m']),
    ...findPodMistakes(config),
  ];
}

/** The limits of the API server: spec.maxExpirationSeconds, and status.notBefore within 5 minutes of its clock. */
const POD_DURATION_MS = { min: 3_600_000, max: 7_862_400_000 };

function findPodMistakes({ trustDomain, clusterDomain, podMaxDuration, podBackdate }: SignerConfig): string[] {
  const { min, max } = POD_DURATION_MS;
  const isLifetime = podMaxDuration >= min && podMaxDuration <= max && podMaxDuration % 1_000 === 0;
  const isBackdate = podBackdate <= MAX_POD_BACKDATE_MS && podBackdate % 1_000 === 0;
  return [
    ...(isTrustDomain(trustDomain) ? [] : [`--trust-domain: "${trustDomain}" is not a SPIFFE trust domain`]),
    ...(isDnsName(clusterDomain) ? [] : [`--cluster-domain: "${clusterDomain}" is not a DNS domain`]),
    ...(isLifetime ? [] : ['--pod-max-duration: must be whole seconds, 1h to 2184h']),
    ...(isBackdate ? [] : ['--pod-backdate: must be whole seconds, at most 4m']),
  ];
}

function isLeaseDuration(ms: number): boolean {
  return ms >= LEASE_DURATION_MS.min && ms <= LEASE_DURATION_MS.max && ms % 1_000 === 0;
}

export function issuancePolicy(config: SignerConfig): IssuancePolicy {
  const { clampToCa, refuseExpiredCa, backdate, leafKeyIdentifier, rootInChain } = config;
  return { ...requestPolicy(config), clampToCa, refuseExpiredCa, backdate, leafKeyIdentifier, rootInChain };
}

export function podSettings({ trustDomain, clusterDomain, podMaxDuration, podBackdate }: SignerConfig): PodSettings {
  return {
    policy: { maxDuration: BigInt(podMaxDuration) * MILLISECOND, backdateMs: podBackdate },
    defaults: { trustDomain, clusterDomain },
  };
}
