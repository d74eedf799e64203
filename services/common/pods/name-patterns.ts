// The patterns by which the owner of an issuer allows DNS names: `*` stands for exactly one label, variables stand for
// fields of the pod. Matching takes linear time. Pure.

import { isDnsName, isDnsNameOrWildcard, MAX_DNS_NAME } from '../dns-name.ts';
import { err, ok, type Result } from '../result.ts';
import { quoteForKubelet } from './kubelet-text.ts';
import { expandVariables, findVariableProblem, type PodIdentity } from './pod-variables.ts';

export const MAX_PATTERNS = 64;

/** Characters of one pattern, with its variables. */
export const MAX_PATTERN_LENGTH = 512;

/** One pattern that is well-formed, as it was written. */
export interface NamePattern {
  readonly text: string;
}

/** For one pod; a label that is undefined stands for any one label. */
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

/** With one letter for each variable, a pattern must be a DNS name. */
function findPatternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  const unknown = findVariableProblem(pattern);
  if (unknown !== undefined) return unknown;
  const labels = labelsOf(pattern, { name: 'x', namespace: 'x', serviceAccountName: 'x', uid: 'x' });
  const isName = isDnsName(labels.map(label => label ?? 'x').join('.'));
  return isName ? undefined : 'is not a DNS name in lower case in which * stands for a whole label';
}

/** The patterns for this pod, without those that are not DNS names once their variables are replaced. */
export function expandPatterns(patterns: readonly NamePattern[], pod: PodIdentity): readonly ExpandedPattern[] {
  return patterns.flatMap(({ text }) => {
    const labels = labelsOf(text, pod);
    const isName = isDnsName(labels.map(label => label ?? 'x').join('.'));
    return isName ? [{ text: labels.map(label => label ?? ANY).join('.'), labels }] : [];
  });
}

/** Split before the variables are replaced: only a label that the owner wrote as `*` stands for any. */
function labelsOf(pattern: string, pod: PodIdentity): readonly (string | undefined)[] {
  return pattern.split('.').flatMap(label => {
    if (label === ANY) return [undefined];
    const expanded = expandVariables(label, pod);
    return expanded.ok ? expanded.value.split('.') : [''];
  });
}

/**
 * Whether one of the patterns allows the name. A wildcard name (`*.web.example`) needs the very same pattern, which
 * allows each of its hosts as well.
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
