// Finds the names in a request that the name constraints of a CA, or of a CA above it, do not permit, and writes the
// messages for them. Used by webhook and signer. Pure; name-constraint-matching.ts decides what a violation is.

import { reasons } from './reasons/reasons.ts';
import { shorten } from './short-text.ts';
import {
  type ConstrainedName,
  constrainedNames,
  formatAddress,
  type Named,
} from './x509/name-constraints/constrained-names.ts';
import { type ConstrainedCa, nameIn, type Subtree } from './x509/name-constraints/constraint-subtrees.ts';
import { formatName, readRdns } from './x509/name-constraints/directory-name.ts';
import { judgeName, type Verdict } from './x509/name-constraints/name-constraint-matching.ts';
import { GENERAL_NAME } from './x509/subject-alt-name.ts';

/**
 * Names times subtrees, for all CAs together; beyond this a request is denied unchecked. Go had this limit until
 * 1.25, and OpenSSL has one of a million for each CA. A tenant who can write a CA's Secret must not stall the
 * requests of others.
 */
export const MAX_COMPARISONS = 250_000;

/** Enough for a reader. */
const MAX_VIOLATIONS = 10;
const MAX_SUBTREES_SHOWN = 5;
const MAX_SHOWN = 128;

/** One message for each of the first violations, starting with the signing CA; empty if all names are permitted. */
export function findNameViolations(request: Named, cas: readonly ConstrainedCa[]): readonly string[] {
  if (cas.length === 0) return [];
  const names = constrainedNames(request);
  const comparisons = cas.reduce((sum, { constraints }) => sum + constraints.size * names.length, 0);
  if (comparisons > MAX_COMPARISONS) return [reasons.NameConstraintViolation.message(tooMany(comparisons))];
  const isForGo = cas.every(({ constraints }) => constraints.isKnownToGo);
  const found: string[] = [];
  for (const ca of cas) {
    for (const name of names) {
      const verdict = judgeName(name, ca.constraints, isForGo);
      if (verdict !== 'within') found.push(describe(name, ca, verdict));
      if (found.length === MAX_VIOLATIONS) return found;
    }
  }
  return found;
}

function tooMany(comparisons: number): string {
  const what = 'The names of the request and the name constraints of the CAs';
  return `${what} require ${comparisons} comparisons; the maximum is ${MAX_COMPARISONS}`;
}

function describe(name: ConstrainedName, ca: ConstrainedCa, verdict: Exclude<Verdict, 'within'>): string {
  return reasons.NameConstraintViolation.message(problemOf(name, ca, verdict));
}

function problemOf(name: ConstrainedName, { subject, constraints }: ConstrainedCa, verdict: Verdict): string {
  const what = `${name.label} ${quote(name.shown)}`;
  const ca = `CA ${quote(formatName(readRdns(subject)))}`;
  if (verdict === 'unchecked') {
    return `Clients cannot check the ${what} against the name constraints of the ${ca}, so they reject it`;
  }
  const isExcluded = verdict === 'excluded';
  const subtrees = list((isExcluded ? constraints.excluded : constraints.permitted).get(name.kind) ?? []);
  return isExcluded
    ? `The name constraints of the ${ca} exclude the ${what}; excluded: ${subtrees}`
    : `The name constraints of the ${ca} do not permit the ${what}; permitted: ${subtrees}`;
}

function list(subtrees: readonly Subtree[]): string {
  const shown = subtrees.slice(0, MAX_SUBTREES_SHOWN).map(subtree => quote(format(subtree)));
  const left = subtrees.length - shown.length;
  return shown.join(', ') + (left > 0 ? ` and ${left} more` : '');
}

function format({ tag, value, text, network }: Subtree): string {
  if (tag === GENERAL_NAME.directoryName) return formatName(readRdns(nameIn(value)));
  return network === undefined ? text : formatNetwork(network);
}

function formatNetwork({ base, mask }: NonNullable<Subtree['network']>): string {
  const bits = [...mask].reduce((sum, octet) => sum + octet.toString(2).replaceAll('0', '').length, 0);
  return `${formatAddress(base)}/${bits}`;
}

/** Names may contain anything: control characters are escaped. */
function quote(text: string): string {
  return JSON.stringify(shorten(text, MAX_SHOWN));
}
