// Compiles an ApprovalPolicy for evaluation, and finds all its mistakes at once. Expects the types of the CRD's schema,
// and checks the rest. Pure.

import type { CelCompiler } from '../cel/cel-program.ts';
import { RULE_SAMPLE } from '../cel/cel-variables.ts';
import type { ApprovalPolicy, ApprovalPolicySpec } from './approval-policy.ts';
import { compileAllowed, compileRules } from './compile-allowed.ts';
import { compileConstraints } from './compile-constraints.ts';
import { compileSelection } from './compile-selection.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { PolicyMistake } from './policy-mistake.ts';

export function compilePolicy({ metadata, spec = {} }: ApprovalPolicy, cel: CelCompiler): CompiledPolicy {
  const selection = compileSelection(spec);
  const allowed = compileAllowed(spec.allowed ?? undefined, cel);
  const constraints = compileConstraints(spec.constraints);
  const rules = compileRules(spec.rules, 'spec.rules', { cel, sample: RULE_SAMPLE });
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    mode: spec.mode ?? 'Enforce',
    onMismatch: spec.onMismatch ?? 'Wait',
    isGuard: spec.onMismatch === 'Deny' && spec.allowed == null,
    selection: selection.mistakes.length === 0 ? selection.value : undefined,
    allowed: allowed.value,
    constraints: constraints.value,
    rules: rules.value,
    mistakes: [
      ...modeMistakes(spec),
      ...selection.mistakes,
      ...allowed.mistakes,
      ...constraints.mistakes,
      ...rules.mistakes,
    ],
  };
}

function modeMistakes({ mode = 'Enforce', onMismatch = 'Wait' }: ApprovalPolicySpec): readonly PolicyMistake[] {
  return [
    ...choiceMistakes('spec.mode', mode, ['Enforce', 'DryRun']),
    ...choiceMistakes('spec.onMismatch', onMismatch, ['Wait', 'Deny']),
  ];
}

function choiceMistakes(field: string, value: string, choices: readonly string[]): readonly PolicyMistake[] {
  return choices.includes(value) ? [] : [{ field, message: `"${value}" is not ${choices.join(' or ')}` }];
}
