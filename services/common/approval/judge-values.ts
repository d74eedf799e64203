// Compares the names of a request with the values that a policy allows. Every name needs a rule that allows it. Pure.

import { crOf } from './cel/cel-variables.ts';
import { type Mismatch, mismatch } from './mismatch.ts';
import type { CompiledAllowed, CompiledRule, ValueRule } from './policy/compiled-policy.ts';
import { matchesPattern, showPattern } from './policy/pattern.ts';
import type { JudgedName } from './request/judged-names.ts';
import type { JudgedRequest } from './request/judged-request.ts';

/** In the order of the request, then what is missing. Stops when there are `enough` mismatches. */
export function judgeValues({ values }: CompiledAllowed, request: JudgedRequest, enough: number): readonly Mismatch[] {
  const found: Mismatch[] = [];
  for (const name of request.names) {
    if (found.length >= enough) return found;
    found.push(...judgeName(name, values.get(name.field), request));
  }
  for (const [field, rule] of values) found.push(...judgeRequired(field, rule, request));
  return found;
}

/** As in approver-policy, a field that is present and empty does not satisfy `required`. */
function judgeRequired(field: string, rule: ValueRule, request: JudgedRequest): readonly Mismatch[] {
  const isPresent = request.byField.get(field)?.some(value => value !== '') === true;
  if (!rule.isRequired || isPresent) return [];
  return [mismatch('required', `${rule.path}.required`, '', showPatterns(rule, request) || 'a value')];
}

function judgeName(name: JudgedName, rule: ValueRule | undefined, request: JudgedRequest): readonly Mismatch[] {
  const { field, value, unreadable } = name;
  const path = rule?.path ?? `spec.allowed.${field}`;
  if (unreadable !== undefined) return [mismatch('not-allowed', path, value, unreadable)];
  const isMentioned = rule !== undefined && (rule.patterns !== undefined || rule.validations.length > 0);
  if (!isMentioned) return [mismatch('not-allowed', path, value, 'none')];
  return [...judgePatterns(rule, value, request), ...judgeValidations(rule, value, request)];
}

function judgePatterns(rule: ValueRule, value: string, request: JudgedRequest): readonly Mismatch[] {
  const { patterns } = rule;
  if (patterns === undefined || patterns.some(pattern => matchesPattern(pattern, value, request.account))) return [];
  return [mismatch('values', `${rule.path}.${rule.patternsField}`, value, showPatterns(rule, request) || 'none')];
}

function showPatterns({ patterns = [] }: ValueRule, { account }: JudgedRequest): string {
  const isForAccounts = account === undefined && patterns.some(({ hasTemplate }) => hasTemplate);
  const texts = patterns.map(pattern => showPattern(pattern, account)).join(', ');
  return isForAccounts ? `${texts} (only for a ServiceAccount)` : texts;
}

function judgeValidations({ validations }: ValueRule, value: string, request: JudgedRequest): readonly Mismatch[] {
  if (validations.length === 0) return [];
  const variables = { self: value, cr: crOf(request) };
  return validations.flatMap(rule => {
    const problem = problemOf(rule, variables);
    return problem === undefined ? [] : [mismatch('validation', rule.field, value, problem)];
  });
}

/** undefined if the expression is true. An expression that fails is not true. */
export function problemOf(rule: CompiledRule, variables: Parameters<NonNullable<CompiledRule['program']>>[0]) {
  const { program, text, message } = rule;
  const result = program?.(variables);
  if (result?.ok && result.value) return undefined;
  const wanted = message ?? text;
  return result === undefined || result.ok ? wanted : `${wanted} (cannot be evaluated: ${result.error})`;
}
