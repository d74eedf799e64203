// Which DNS names pods may have: patterns by the owner of an issuer, in which `*` stands for exactly one label and variables stand
// for fields of the pod that asks. The time to match is linear in the length of the name and of the patterns. Pure.

import { isDnsName, isDnsNameOrWildcard, MAX_DNS_NAME } from './dns-name.ts';
import { quoteForKubelet } from './kubelet-text.ts';
import { expandVariables, findVariableProblem, type PodIdentity } from './pod-variables.ts';
import { err, ok, type Result } from './result.ts';

export const MAX_PATTERNS = 64;

/** Characters of one pattern, with its variables. */
export const MAX_PATTERN_LENGTH = 512;

/** One pattern that is well-formed, as it was written. */
export interface NamePattern {
  readonly text: string;
}

/** Of one pod: the labels; undefined stands for any one label. */
export interface ExpandedPattern {
  readonly text: string;
  readonly labels: readonly (string | undefined)[];
}

const ANY = '*';

/** Reads a list separated by commas; an empty text allows no name. The error has no subject. */
export function parseNamePatterns(text: string): Result<readonly NamePattern[]> {
  if (text.trim() === '') return ok([]);
  const items = text.split(',', MAX_PATTERNS + 1).map(item => item.trim());
  if (items.length > MAX_PATTERNS) return err(`has more than ${MAX_PATTERNS} patterns`);
  for (const item of items) {
    const problem = findPatternProblem(item);
    if (problem !== undefined) return err(`has the pattern ${quoteForKubelet(item)}, which ${problem}`);
  }
  return ok(items.map(item => ({ text: item })));
}

/** With a name of one letter for each variable, what is left has to be a DNS name. */
function findPatternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  const unknown = findVariableProblem(pattern);
  if (unknown !== undefined) return unknown;
  const labels = labelsOf(pattern, { name: 'x', namespace: 'x', serviceAccountName: 'x', uid: 'x' });
  const isName = isDnsName(labels.map(label => label ?? 'x').join('.'));
  return isName ? undefined : 'is not a DNS name in lower case in which * stands for a whole label';
}

/** The patterns for this pod. One whose variables make no DNS name of it is left out, since it allows none. */
export function expandPatterns(patterns: readonly NamePattern[], pod: PodIdentity): readonly ExpandedPattern[] {
  return patterns.flatMap(({ text }) => {
    const labels = labelsOf(text, pod);
    const isName = isDnsName(labels.map(label => label ?? 'x').join('.'));
    return isName ? [{ text: labels.map(label => label ?? ANY).join('.'), labels }] : [];
  });
}

/** Cut before the variables are replaced: only a label that is written as `*` stands for any. */
function labelsOf(pattern: string, pod: PodIdentity): readonly (string | undefined)[] {
  return pattern.split('.').flatMap(label => {
    if (label === ANY) return [undefined];
    const expanded = expandVariables(label, pod);
    return expanded.ok ? expanded.value.split('.') : [''];
  });
}

/**
 * Whether one of the patterns allows the name. A name that begins with `*` is that of many hosts: only the pattern that is written
 * exactly as the name allows it, since that allows each of the hosts as well.
 */
export function isNameAllowed(name: string, patterns: readonly ExpandedPattern[]): boolean {
  if (name.length > MAX_DNS_NAME || !isDnsNameOrWildcard(name)) return false;
  if (name.startsWith(`${ANY}.`)) return patterns.some(({ text }) => text === name);
  const labels = name.split('.');
  return patterns.some(pattern => hasLabels(pattern, labels));
}

function hasLabels({ labels }: ExpandedPattern, name: readonly string[]): boolean {
  return labels.length === name.length && labels.every((label, at) => label === undefined || label === name[at]);
}
