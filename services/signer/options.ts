// The signer's flags, the matching environment variables, and the rules between them. Reads nothing itself.

import { isDnsName } from '@countersign/common/dns-name.ts';
import { MILLISECOND } from '@countersign/common/duration.ts';
import { findBadEntry, parseServerList } from '@countersign/common/issuers/server-allow-list.ts';
import { isTrustDomain } from '@countersign/common/pods/spiffe-id.ts';
import {
  COMMON_OPTIONS,
  findDelegationMistakes,
  findPolicyMistakes,
  requestPolicy,
} from '@countersign/common/runtime/options/common-options.ts';
import { type Config, defineOptions } from '@countersign/common/runtime/options/config.ts';
import {
  findLeaseMistakes,
  findNotWholeSeconds,
  findTooLong,
  type Limits,
} from '@countersign/common/runtime/options/duration-limits.ts';
import type { TrustBundleSettings } from './controllers/bundle-controller.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import type { PodSettings } from './requests/pod-certificate/pod-kind.ts';
import { MAX_POD_BACKDATE_MS } from './requests/pod-certificate/pod-requested-certificate.ts';

export const OPTIONS = defineOptions({
  ...COMMON_OPTIONS,
  workers: {
    kind: 'integer',
    default: 32,
    min: 1,
    max: 1000,
    help: 'Maximum number of requests processed concurrently, CSRs and PodCertificateRequests together.',
  },
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
  refuseExpiredCa: {
    kind: 'boolean',
    default: false,
    help: 'Whether to make requests wait while the CA is expired, instead of signing them.',
  },
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
  requireApprovalPolicy: {
    kind: 'boolean',
    default: false,
    help: 'Whether to sign a CSR only while an ApprovalPolicy allows it; an approval by hand is not enough, and the CSR waits.',
  },
  vaultServers: {
    kind: 'string',
    default: '',
    help: 'Hosts of the Vault servers that issuers may name, with commas between: a name, an address or a suffix such as *.example.com, each with or without a port. Empty: all.',
  },
  approveCertificateRequests: {
    kind: 'boolean',
    default: false,
    help: 'Whether to approve the CertificateRequests of --delegate, whose CSRs are approved already. Bypasses approver-policy.',
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

/** Catches a wrong unit before it ends up in certificates. */
const MAX_BACKDATE_MS = 86_400_000;

/** Returns errors in combinations of options that are individually well-formed. */
export function findMistakes(config: SignerConfig): string[] {
  return [
    ...findPolicyMistakes(config),
    ...findTooLong('--backdate', config.backdate, MAX_BACKDATE_MS),
    ...findLeaseMistakes(config),
    ...findServerMistakes(config),
    ...findPodMistakes(config),
    ...findDelegationMistakes(config),
    ...findApprovalMistakes(config),
    ...findBundleMistakes(config),
  ];
}

function findServerMistakes({ vaultServers }: SignerConfig): string[] {
  const bad = findBadEntry(parseServerList(vaultServers));
  return bad === undefined
    ? []
    : [`--vault-servers: "${bad}" is not a host such as vault.example.com or *.example.com:8200`];
}

/** The limits of the API server: spec.maxExpirationSeconds, and status.notBefore within 5 minutes of its clock. */
const POD_DURATION_MS: Limits = { min: 3_600_000, max: 7_862_400_000 };
const POD_BACKDATE_MS: Limits = { min: 0, max: MAX_POD_BACKDATE_MS };

function findPodMistakes({ trustDomain, clusterDomain, podMaxDuration, podBackdate }: SignerConfig): string[] {
  return [
    ...(isTrustDomain(trustDomain) ? [] : [`--trust-domain: "${trustDomain}" is not a SPIFFE trust domain`]),
    ...(isDnsName(clusterDomain) ? [] : [`--cluster-domain: "${clusterDomain}" is not a DNS domain`]),
    ...findNotWholeSeconds('--pod-max-duration', podMaxDuration, POD_DURATION_MS),
    ...findNotWholeSeconds('--pod-backdate', podBackdate, POD_BACKDATE_MS),
  ];
}

function findApprovalMistakes({ delegate, approveCertificateRequests }: SignerConfig): string[] {
  const isUseless = approveCertificateRequests && !delegate;
  return isUseless ? ['--approve-certificate-requests: has no effect without --delegate'] : [];
}

function findBundleMistakes({ trustBundles, keepRetiredAnchors, podMaxDuration }: SignerConfig): string[] {
  const isTooShort = trustBundles !== 'off' && keepRetiredAnchors < podMaxDuration;
  return isTooShort ? ['--keep-retired-anchors: must be at least --pod-max-duration'] : [];
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
