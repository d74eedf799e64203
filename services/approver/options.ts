// The flags of the approver, the environment variables of the same names, and what must hold between them. Reads
// nothing itself.

import { MILLISECOND } from '@countersign/common/duration.ts';
import { parseExternalTypes } from '@countersign/common/issuers/external-types.ts';
import { PERMISSIVE_POLICY, type RequestPolicy } from '@countersign/common/request-policy.ts';

import type { Result } from '@countersign/common/result.ts';
import {
  COMMON_OPTIONS,
  findExternalMistakes,
  findPolicyMistakes,
} from '@countersign/common/runtime/options/common-options.ts';
import { type Config, defineOptions } from '@countersign/common/runtime/options/config.ts';
import { findLeaseMistakes } from '@countersign/common/runtime/options/duration-limits.ts';
import { parseSignerScope, type SignerScope } from './signer-scope.ts';

const { kubeconfig, httpAddress, maxDuration, externalIssuers, logLevel } = COMMON_OPTIONS;

export const OPTIONS = defineOptions({
  kubeconfig,
  httpAddress,
  maxDuration,
  externalIssuers: {
    ...externalIssuers,
    help: 'Types of external issuers whose signer names --signer-names may contain; the same value as on webhook and signer.',
  },
  logLevel,
  signerNames: {
    kind: 'string',
    help: 'Comma-separated signer names whose requests the approver may approve or deny: issuers.cert-manager.io/* and clusterissuers.cert-manager.io/* for all, or the names of single issuers. It needs the verb "approve" on each of them.',
  },
  workers: {
    kind: 'integer',
    default: 32,
    min: 1,
    max: 1000,
    help: 'Maximum number of requests processed concurrently.',
  },
  leaderElect: {
    kind: 'boolean',
    default: true,
    help: 'Whether to work only while holding the Lease countersign-approver in the own namespace. Required with more than one replica.',
  },
  leaseDuration: {
    kind: 'duration',
    default: '15s',
    help: 'How long standbys wait before they take over from a leader that was killed: 5s to 5m, in whole seconds.',
  },
});

export type ApproverConfig = Config<typeof OPTIONS>;

/** Mistakes in the combination of valid options. */
export function findMistakes(config: ApproverConfig): string[] {
  const scope = readScope(config);
  return [
    ...findExternalMistakes(config),
    ...(scope.ok ? [] : [`--signer-names: ${scope.error}`]),
    ...findPolicyMistakes(config),
    ...findLeaseMistakes(config),
  ];
}

/** Name constraints and permissions are checked by webhook and signer; only the default duration matters here. */
export function requestPolicy({ maxDuration: ms }: Pick<ApproverConfig, 'maxDuration'>): RequestPolicy {
  return { ...PERMISSIVE_POLICY, maxDuration: ms === 0 ? undefined : BigInt(ms) * MILLISECOND };
}

type ScopeConfig = Pick<ApproverConfig, 'signerNames' | 'externalIssuers'>;

function readScope(config: ScopeConfig): Result<SignerScope> {
  return parseSignerScope(config.signerNames, parseExternalTypes(config.externalIssuers).types);
}

/** For a configuration without mistakes. */
export function signerScope(config: ScopeConfig): SignerScope {
  const scope = readScope(config);
  if (!scope.ok) throw new TypeError(scope.error);
  return scope.value;
}
