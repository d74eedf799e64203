// What can be checked in a CEL expression without evaluating it: its size, its loops, and the variables it uses. Pure.

import type { CelInput, parse } from '@bufbuild/cel';
import { MAX_MACROS, MAX_NESTING } from './cel-limits.ts';

export type Expression = ReturnType<typeof parse>['expr'];

/** Names of types, which are values in CEL, and the prefix of the functions on user names. */
const KNOWN_NAMES: readonly string[] =
  'bool,bytes,double,duration,dyn,int,list,map,null_type,string,timestamp,type,uint,google,serviceaccount'.split(',');

/** What an expression may use: its variables, and the fields of those that are maps. */
interface Scope {
  readonly names: ReadonlySet<string>;
  readonly sample: Readonly<Record<string, CelInput>>;
}

interface Scan {
  readonly macros: number;
  readonly nesting: number;
  readonly unknown: string | undefined;
}

/** What is wrong with the expression; undefined if nothing is. `sample` has all variables that it may use. */
export function findSyntaxProblem(
  expression: Expression,
  sample: Readonly<Record<string, CelInput>>,
): string | undefined {
  const scope = { names: new Set([...Object.keys(sample), ...KNOWN_NAMES]), sample };
  const scan = scanOne(expression, scope, 0, { macros: 0, nesting: 0, unknown: undefined });
  if (scan.macros > MAX_MACROS) return `has ${scan.macros} macros such as all and exists; the maximum is ${MAX_MACROS}`;
  if (scan.nesting > MAX_NESTING) return `nests macros ${scan.nesting} deep; the maximum is ${MAX_NESTING}`;
  if (scan.unknown === undefined) return undefined;
  return `unknown variable ${scan.unknown}: use ${Object.entries(sample).map(showVariable).join(' or ')}`;
}

function showVariable([name, value]: readonly [string, CelInput]): string {
  return value instanceof Map ? `${name} (${[...value.keys()].join(', ')})` : name;
}

function scanOne(expression: Expression, scope: Scope, depth: number, before: Scan): Scan {
  const { case: kind, value } = expression.exprKind;
  if (kind === 'identExpr') return noteUnless(scope.names.has(value.name), value.name, before);
  if (kind === 'selectExpr') return scanAll([value.operand], scope, depth, noteField(value, scope, before));
  if (kind !== 'comprehensionExpr') return scanAll(childrenOf(expression), scope, depth, before);
  const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = value;
  const counted = { ...before, macros: before.macros + 1, nesting: Math.max(before.nesting, depth + 1) };
  const outside = scanAll([iterRange, accuInit], scope, depth, counted);
  const inside = { ...scope, names: new Set([...scope.names, iterVar, iterVar2, accuVar]) };
  return scanAll([loopCondition, loopStep, result], inside, depth + 1, outside);
}

function noteUnless(isKnown: boolean, name: string, before: Scan): Scan {
  return isKnown ? before : { ...before, unknown: before.unknown ?? name };
}

/** A field of a variable that is a map; the fields of other values are known at evaluation only. */
function noteField(
  { operand, field }: { readonly operand?: Expression | undefined; readonly field: string },
  { sample }: Scope,
  before: Scan,
): Scan {
  const name = operand?.exprKind.case === 'identExpr' ? operand.exprKind.value.name : '';
  const map = Object.hasOwn(sample, name) ? sample[name] : undefined;
  return noteUnless(!(map instanceof Map) || map.has(field), `${name}.${field}`, before);
}

function scanAll(expressions: readonly (Expression | undefined)[], scope: Scope, depth: number, before: Scan): Scan {
  return expressions
    .filter(expression => expression !== undefined)
    .reduce((scan, expression) => scanOne(expression, scope, depth, scan), before);
}

function childrenOf({ exprKind: { case: kind, value } }: Expression): readonly (Expression | undefined)[] {
  switch (kind) {
    case 'callExpr':
      return [value.target, ...value.args];
    case 'listExpr':
      return value.elements;
    case 'structExpr':
      return value.entries.flatMap(({ keyKind, value: entry }) => [
        keyKind.case === 'mapKey' ? keyKind.value : undefined,
        entry,
      ]);
    default:
      return [];
  }
}
