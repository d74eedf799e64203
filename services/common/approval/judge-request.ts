// Compares one request with one policy: everything that the certificate will have must be allowed, and every constraint
// and rule satisfied. Says nothing about the decision. Pure.

import { MAX_LIST, MAX_TEXT } from './cel/cel-limits.ts';
import { requestOf } from './cel/cel-variables.ts';
import { judgeConstraints } from './judge-constraints.ts';
import { judgeValues, problemOf } from './judge-values.ts';
import { type Mismatch, mismatch } from './mismatch.ts';
import type { CompiledAllowed, CompiledPolicy } from './policy/compiled-policy.ts';
import type { JudgedRequest } from './request/judged-request.ts';

/** More of them help no one, and a request can have thousands. */
const MAX_MISMATCHES = 20;

/** More names than a certificate needs; 36 KB of PKCS#10 hold thousands. */
const MAX_NAMES = 1_000;

/** Empty if the policy allows the request. */
export function judgeRequest(policy: CompiledPolicy, request: JudgedRequest): readonly Mismatch[] {
  const tooLarge = judgeSize(policy, request);
  if (tooLarge.length > 0) return tooLarge;
  const content = policy.isGuard ? [] : judgeContent(policy.allowed, request);
  const found = [...content, ...judgeConstraints(policy.constraints, request), ...judgeRules(policy, request)];
  return found.slice(0, MAX_MISMATCHES);
}

function judgeContent(allowed: CompiledAllowed, request: JudgedRequest): readonly Mismatch[] {
  const names = judgeValues(allowed, request, MAX_MISMATCHES);
  return [...judgeFlags(allowed, request), ...judgeUsages(allowed, request), ...names];
}

/** No requester chooses how long an evaluation takes; expressions take longer than patterns. */
function judgeSize({ allowed, rules }: CompiledPolicy, { names, requester }: JudgedRequest): readonly Mismatch[] {
  if (names.length > MAX_NAMES) {
    return [mismatch('constraint', 'spec', `${names.length} names`, `at most ${MAX_NAMES} names, for any policy`)];
  }
  const isLong = names.some(({ value }) => value.length > MAX_TEXT);
  const isLarge = names.length > MAX_LIST || (requester.groups?.length ?? 0) > MAX_LIST;
  if (!isLong && !isLarge) return [];
  const usesCel = rules.length > 0 || [...allowed.values.values()].some(({ validations }) => validations.length > 0);
  const limits = `at most ${MAX_LIST} names and groups, and ${MAX_TEXT} characters in each, for a policy with CEL`;
  return usesCel ? [mismatch('constraint', 'spec', `${names.length} names`, limits)] : [];
}

function judgeFlags(allowed: CompiledAllowed, { isCa, hasNameConstraints }: JudgedRequest): readonly Mismatch[] {
  return [
    ...(isCa && !allowed.isCa ? [mismatch('not-allowed', 'spec.allowed.isCA', 'true', 'false')] : []),
    ...(hasNameConstraints && !allowed.nameConstraints
      ? [mismatch('not-allowed', 'spec.allowed.nameConstraints', 'true', 'false')]
      : []),
  ];
}

function judgeUsages({ usages }: CompiledAllowed, request: JudgedRequest): readonly Mismatch[] {
  const surplus = request.usages.filter(usage => !usages.has(usage));
  if (surplus.length === 0) return [];
  const wanted = [...usages].join(', ') || 'none';
  return surplus.map(usage => mismatch('not-allowed', 'spec.allowed.usages', usage, wanted));
}

function judgeRules({ rules }: CompiledPolicy, request: JudgedRequest): readonly Mismatch[] {
  if (rules.length === 0) return [];
  const variables = { request: requestOf(request) };
  return rules.flatMap(rule => {
    const problem = problemOf(rule, variables);
    return problem === undefined ? [] : [mismatch('rule', rule.field, '', problem)];
  });
}
