// Compiles `spec.allowed`: one rule for each field that speaks of values. Pure.

import { canonicalUsage } from '../../key-usage.ts';
import type { CelCompiler, CelVariables } from '../cel/cel-program.ts';
import { VALIDATION_SAMPLE } from '../cel/cel-variables.ts';
import type { Allowed, AllowedOid, AllowedString, AllowedStrings, AllowedSubject, CelRule } from './approval-policy.ts';
import type { CompiledAllowed, CompiledRule, ValueRule } from './compiled-policy.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import { type Compiled, compileEach, type PolicyMistake } from './policy-mistake.ts';

const STRING_FIELDS = ['dnsNames', 'ipAddresses', 'uris', 'emailAddresses', 'privateKeySecretNames'] as const;
const SUBJECT_FIELDS = [
  'organizations',
  'countries',
  'organizationalUnits',
  'localities',
  'provinces',
  'streetAddresses',
  'postalCodes',
] as const satisfies readonly (keyof AllowedSubject)[];

/** One field: its key among the judged names, and what the policy says. */
interface Written {
  readonly key: string;
  readonly path: string;
  readonly rule: AllowedString & AllowedStrings;
  readonly isSingle: boolean;
}

export function compileAllowed(allowed: Allowed = {}, cel: CelCompiler): Compiled<CompiledAllowed> {
  const written = [...writtenNames(allowed), ...writtenSubject(allowed.subject ?? {})];
  const compiled = written.map(each => ({ key: each.key, ...compileValueRule(each, cel) }));
  const { usages = [] } = allowed;
  const value = {
    values: new Map(compiled.map(({ key, value: rule }) => [key, rule])),
    isCa: allowed.isCA === true,
    nameConstraints: allowed.nameConstraints === true,
    usages: new Set(usages.map(usage => canonicalUsage(usage) ?? usage)),
  };
  const mistakes = [...compiled.flatMap(each => each.mistakes), ...duplicates(written), ...usageMistakes(usages)];
  return { value, mistakes };
}

function writtenNames(allowed: Allowed): readonly Written[] {
  return [
    ...one('commonName', allowed.commonName, true),
    ...STRING_FIELDS.flatMap(field => one(field, allowed[field], false)),
    ...byOid('otherNames', allowed.otherNames),
  ];
}

function writtenSubject(subject: AllowedSubject): readonly Written[] {
  return [
    ...SUBJECT_FIELDS.flatMap(field => one(`subject.${field}`, subject[field], false)),
    ...one('subject.serialNumber', subject.serialNumber, true),
    ...byOid('subject.otherAttributes', subject.otherAttributes),
  ];
}

function one(key: string, rule: AllowedString | AllowedStrings | undefined, isSingle: boolean): readonly Written[] {
  return rule === undefined ? [] : [{ key, path: `spec.allowed.${key}`, rule, isSingle }];
}

function byOid(key: string, rules: readonly AllowedOid[] = []): readonly Written[] {
  return rules.map((rule, at) => ({
    key: `${key}[${rule.oid}]`,
    path: `spec.allowed.${key}[${at}]`,
    rule,
    isSingle: false,
  }));
}

/** Two rules for one object identifier: only one of them could hold. */
function duplicates(written: readonly Written[]): readonly PolicyMistake[] {
  const repeated = written.filter(({ key }, at) => written.findIndex(each => each.key === key) < at);
  return repeated.map(({ path }) => ({ field: `${path}.oid`, message: 'the object identifier is listed twice' }));
}

function compileValueRule({ path, rule, isSingle }: Written, cel: CelCompiler): Compiled<ValueRule> {
  const patternsField = isSingle ? 'value' : 'values';
  const texts = isSingle ? (rule.value === undefined ? undefined : [rule.value]) : rule.values;
  const patterns = compileEach(texts, `${path}.${patternsField}`, compilePattern);
  const validations = compileRules(rule.validations, `${path}.validations`, { cel, sample: VALIDATION_SAMPLE });
  const value = {
    path,
    patternsField,
    isRequired: rule.required === true,
    patterns: texts && patterns.value.filter(pattern => pattern !== undefined),
    validations: validations.value,
  } as const;
  const isEmpty = rule.required === true && texts === undefined && validations.value.length === 0;
  const message = `required, but without ${patternsField} or validations nothing is allowed: add one of them`;
  const mistakes = isEmpty ? [{ field: `${path}.${patternsField}`, message }] : [];
  return { value, mistakes: [...patterns.mistakes, ...validations.mistakes, ...mistakes] };
}

function compilePattern(text: string, field: string): Compiled<Pattern | undefined> {
  const pattern = parsePattern(text);
  if (pattern.ok) return { value: pattern.value, mistakes: [] };
  return { value: undefined, mistakes: [{ field, message: pattern.error }] };
}

export function compileRules(
  rules: readonly CelRule[] | undefined,
  path: string,
  { cel, sample }: { readonly cel: CelCompiler; readonly sample: CelVariables },
): Compiled<readonly CompiledRule[]> {
  return compileEach(rules, path, ({ rule, message }, field) => {
    const program = cel.compile(rule, sample);
    const value = { field, text: rule, message, program: program.ok ? program.value : undefined };
    return { value, mistakes: program.ok ? [] : [{ field: `${field}.rule`, message: program.error }] };
  });
}

function usageMistakes(usages: readonly string[]): readonly PolicyMistake[] {
  return usages.flatMap((usage, at) => {
    if (canonicalUsage(usage) !== undefined) return [];
    const message = `"${usage}" is neither a usage of certificates.k8s.io/v1, such as "server auth", nor an object identifier`;
    return [{ field: `spec.allowed.usages[${at}]`, message }];
  });
}
