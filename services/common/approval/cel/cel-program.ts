// Compiles and evaluates CEL expressions (https://cel.dev) within limits. An expression that cannot be evaluated, or
// whose result is not a boolean, is not true. Pure.

import { type CelEnv, type CelInput, CelScalar, celEnv, celFunc, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { RE2JS } from '@bufbuild/re2';
import { err, ok, type Result } from '../../result.ts';
import { parseServiceAccount } from '../request/service-account.ts';
import { LIMITED_FUNCTIONS, MAX_EXPRESSION } from './cel-limits.ts';
import { findSyntaxProblem } from './cel-syntax.ts';

export type CelVariables = Readonly<Record<string, CelInput>>;

/** The result, or why there is none. */
export type CelProgram = (variables: CelVariables) => Result<boolean>;

export interface CelCompiler {
  /** `sample` has all variables, with values of their types. */
  compile(expression: string, sample: CelVariables): Result<CelProgram>;
}

/** Patterns of one policy set that are remembered, compiled; compiling one takes longer than matching it. */
const MAX_PATTERNS = 256;
/** Errors that do not depend on the values, only on their types. */
const STATIC_ERROR = /^(unbound function|found no matching overload|type mismatch)|is not supported$/;

/** With an environment and a cache of regular expressions of its own. */
export function createCelCompiler(): CelCompiler {
  const env = createEnvironment();
  return { compile: (expression, sample) => compile(env, expression, sample) };
}

function createEnvironment(): CelEnv {
  const compiled = new Map<string, RE2JS>();
  // RE2 matches in linear time: neither policy nor requester can make a match take long.
  const re2 = { compile: (pattern: string) => remember(compiled, pattern) };
  return celEnv({ funcs: [...strings, ...LIMITED_FUNCTIONS, ...ACCOUNT_FUNCTIONS], re2 });
}

function remember(compiled: Map<string, RE2JS>, pattern: string): { test(text: string): boolean } {
  if (pattern.length > MAX_EXPRESSION) throw new Error(`a regular expression exceeds ${MAX_EXPRESSION} characters`);
  const found = compiled.get(pattern) ?? RE2JS.compile(pattern);
  if (compiled.size >= MAX_PATTERNS) compiled.clear();
  compiled.set(pattern, found);
  return { test: text => found.test(text) };
}

const { STRING } = CelScalar;

/** approver-policy returns an empty text for other users, which a rule may take for a namespace. */
function accountOf(username: string) {
  const account = parseServiceAccount(username);
  if (account === undefined) throw new Error('the requester is not a ServiceAccount');
  return account;
}

const ACCOUNT_FUNCTIONS = [
  celFunc('serviceaccount.getName', [STRING], STRING, username => accountOf(username).name),
  celFunc('serviceaccount.getNamespace', [STRING], STRING, username => accountOf(username).namespace),
];

function compile(env: CelEnv, expression: string, sample: CelVariables): Result<CelProgram> {
  if (expression.length > MAX_EXPRESSION) {
    return err(`is ${expression.length} characters long; the maximum is ${MAX_EXPRESSION}`);
  }
  try {
    const parsed = parse(expression);
    const problem = findSyntaxProblem(parsed.expr, sample);
    return problem === undefined ? tryOut(toProgram(plan(env, parsed)), sample) : err(problem);
  } catch (error) {
    return err(`is not valid CEL: ${messageOf(error)}`);
  }
}

function toProgram(evaluate: (variables: Record<string, CelInput>) => unknown): CelProgram {
  return variables => {
    const result = evaluate(variables);
    if (typeof result === 'boolean') return ok(result);
    return err(isCelError(result) ? messageOf(result) : 'the result is not a boolean');
  };
}

/** Finds unknown functions and wrong types: the library has no type checker. */
function tryOut(program: CelProgram, sample: CelVariables): Result<CelProgram> {
  const result = program(sample);
  const isWrong = !result.ok && (STATIC_ERROR.test(result.error) || result.error === 'the result is not a boolean');
  return isWrong ? err(result.error) : ok(program);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
