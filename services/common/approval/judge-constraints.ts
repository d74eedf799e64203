// Compares lifetime and public key of a request with the constraints of a policy. Pure.

import { formatGoDuration, MILLISECOND } from '../duration.ts';
import { type Mismatch, mismatch } from './mismatch.ts';
import type { CompiledConstraints } from './policy/compiled-policy.ts';
import type { JudgedRequest } from './request/judged-request.ts';

export function judgeConstraints(constraints: CompiledConstraints, request: JudgedRequest): readonly Mismatch[] {
  const { minDurationMs, maxDurationMs, algorithm, minSize, maxSize } = constraints;
  const { lifetimeMs, key } = request;
  return [
    ...atLeast('minDuration', { seen: lifetimeMs, limit: minDurationMs, show: showDuration }),
    ...atMost('maxDuration', { seen: lifetimeMs, limit: maxDurationMs, show: showDuration }),
    ...judgeAlgorithm(algorithm, key?.algorithm),
    ...atLeast('privateKey.minSize', { seen: key?.size ?? NO_SIZE, limit: minSize, show: showSize }),
    ...atMost('privateKey.maxSize', { seen: key?.size ?? NO_SIZE, limit: maxSize, show: showSize }),
  ];
}

/** As in approver-policy: an Ed25519 key is below any minimum. */
const NO_SIZE = -1;

interface Limit {
  readonly seen: number;
  readonly limit: number | undefined;
  readonly show: (value: number) => string;
}

function atLeast(field: string, { seen, limit, show }: Limit): readonly Mismatch[] {
  if (limit === undefined || seen >= limit) return [];
  return [mismatch('constraint', `spec.constraints.${field}`, show(seen), `at least ${show(limit)}`)];
}

function atMost(field: string, { seen, limit, show }: Limit): readonly Mismatch[] {
  if (limit === undefined || seen <= limit) return [];
  return [mismatch('constraint', `spec.constraints.${field}`, show(seen), `at most ${show(limit)}`)];
}

function judgeAlgorithm(wanted: string | undefined, seen = 'unreadable'): readonly Mismatch[] {
  if (wanted === undefined || seen === wanted) return [];
  return [mismatch('constraint', 'spec.constraints.privateKey.algorithm', seen, wanted)];
}

function showDuration(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms)) * MILLISECOND);
}

function showSize(bits: number): string {
  return bits === NO_SIZE ? 'no size' : `${bits} bits`;
}
