// An ApprovalPolicy that is ready for evaluation: patterns and expressions parsed, durations in milliseconds. Types
// only. Pure.

import type { CelProgram } from '../cel/cel-program.ts';
import type { ServiceAccount } from '../request/service-account.ts';
import type { Pattern } from './pattern.ts';
import type { PolicyMistake } from './policy-mistake.ts';

/** A CEL expression with its path in the policy. */
export interface CompiledRule {
  readonly field: string;
  readonly text: string;
  readonly message: string | undefined;
  /** undefined if the expression is invalid. */
  readonly program: CelProgram | undefined;
}

/** What one field of `allowed` says about the values of a request. */
export interface ValueRule {
  /** Path in the policy, such as `spec.allowed.dnsNames`. */
  readonly path: string;
  /** `value` or `values`: where the patterns are, below the path. */
  readonly patternsField: 'value' | 'values';
  readonly isRequired: boolean;
  /** undefined: the values are restricted by the validations only. Empty: no value is allowed. */
  readonly patterns: readonly Pattern[] | undefined;
  readonly validations: readonly CompiledRule[];
}

export interface CompiledAllowed {
  /** By JudgedName.field. */
  readonly values: ReadonlyMap<string, ValueRule>;
  readonly isCa: boolean;
  readonly nameConstraints: boolean;
  readonly usages: ReadonlySet<string>;
}

export interface CompiledConstraints {
  readonly minDurationMs: number | undefined;
  readonly maxDurationMs: number | undefined;
  readonly algorithm: string | undefined;
  readonly minSize: number | undefined;
  readonly maxSize: number | undefined;
}

export interface Selection {
  readonly signerNames: ReadonlySet<string>;
  /** Namespaces all of whose Issuers are selected. */
  readonly namespaces: ReadonlySet<string>;
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly accounts: readonly ServiceAccount[];
}

export interface CompiledPolicy {
  readonly name: string;
  readonly uid: string;
  readonly mode: 'Enforce' | 'DryRun';
  readonly onMismatch: 'Wait' | 'Deny';
  /** It only denies: it allows nothing, and says nothing about names and usages. */
  readonly isGuard: boolean;
  /** undefined if the selection itself is invalid: the policy may have been meant for any request. */
  readonly selection: Selection | undefined;
  readonly allowed: CompiledAllowed;
  readonly constraints: CompiledConstraints;
  readonly rules: readonly CompiledRule[];
  /** A policy with mistakes allows nothing. */
  readonly mistakes: readonly PolicyMistake[];
}
