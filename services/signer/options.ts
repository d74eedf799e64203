// The flags of the signer, the environment variables of the same names, and what must hold between them. Reads nothing itself.

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
import type { TrustBundleSettings } from './lines/bundle-line.ts';
import type { PodSettings } from './requests/pod-certificate/pod-kind.ts';
import { MAX_POD_BACKDATE_MS } from './requests/pod-certificate/pod-requested-certificate.ts';

export const OPTIONS = defineOptions({
  ...COMMON_OPTIONS,
  workers: { kind: 'integer', default: 32, min: 1, max: 1000, help: 'How many CSRs are worked on at the same time.' },
  leaderElect: {
    kind: 'boolean',
    default: true,
    help: 'Whether to sign only while holding the Lease countersign-signer in the own namespace. Needed with more than one replica.',
  },
  leaseDuration: {
    kind: 'duration',
    default: '15s',
    help: 'How long the Lease of a leader that was killed lasts before another takes over; 5s to 5m, whole seconds. It is renewed every 2/15 of that, at least every 5s.',
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
  clampToCa: {
    kind: 'boolean',
    default: false,
    help: 'Whether a certificate ends with the CA that signs it, where it would end later. Requests wait while the CA has ended.',
  },
  refuseExpiredCa: { kind: 'boolean', default: false, help: 'Whether requests wait while the CA has ended.' },
  backdate: {
    kind: 'duration',
    default: '0s',
    help: 'How far before the signature a certificate begins, for clocks that are behind; at most 24h. It ends no sooner for it.',
  },
  leafKeyIdentifier: {
    kind: 'boolean',
    default: false,
    help: 'Whether certificates of no CA, too, carry the identifier of their key (extension subjectKeyIdentifier).',
  },
  rootInChain: {
    kind: 'boolean',
    default: false,
    help: 'Whether status.certificate ends with the root of the CA, if its Secret has it.',
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
  trustBundles: {
    kind: 'enum',
    values: ['all', 'annotated', 'off'],
    default: 'all',
    help: 'Which CA issuers get a ClusterTrustBundle with their CA certificates, where the API server has them (Kubernetes 1.37): all, those with the annotation countersign.io/publish-trust-bundle: "true", or none.',
  },
  keepRetiredAnchors: {
    kind: 'duration',
    default: '2184h',
    help: 'How long a CA certificate stays in the trust bundle after its issuer stopped using it, and the bundle after its issuer is deleted; at least --pod-max-duration.',
  },
});

export type SignerConfig = Config<typeof OPTIONS>;

/** A mistake in the unit is noticed before it is in certificates. */
const MAX_BACKDATE_MS = 86_400_000;

/** Below, an API server that is slow for some seconds costs the leadership; above, a crash stops signing for too long. */
const LEASE_DURATION_MS = { min: 5_000, max: 300_000 };

/** What is wrong with options that are well-formed one by one. */
export function findMistakes(config: SignerConfig): string[] {
  const isTooFar = config.backdate > MAX_BACKDATE_MS;
  return [
    ...findPolicyMistakes(config),
    ...(isTooFar ? ['--backdate: may be at most 24h'] : []),
    ...(isLeaseDuration(config.leaseDuration) ? [] : ['--lease-duration: must be whole seconds, 5s to 5m']),
    ...findPodMistakes(config),
    ...findBundleMistakes(config),
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

function findBundleMistakes({ trustBundles, keepRetiredAnchors, podMaxDuration }: SignerConfig): string[] {
  const isTooShort = trustBundles !== 'off' && keepRetiredAnchors < podMaxDuration;
  return isTooShort ? ['--keep-retired-anchors: must be at least --pod-max-duration'] : [];
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

/** Undefined where no trust bundles are published. */
export function trustBundleSettings(config: SignerConfig): TrustBundleSettings | undefined {
  const { trustBundles: publish, keepRetiredAnchors: keepRetiredMs } = config;
  return publish === 'off' ? undefined : { publish, keepRetiredMs };
}
