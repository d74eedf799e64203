// The variables in the annotations of pods and in the name patterns of issuers: names of cert-manager's csi-driver,
// in the syntax of Go's os.Expand (`${POD_NAME}`, `$POD_NAME`). Their values are fields that NodeRestriction
// verifies. Pure.

import { err, ok, type Result } from '../result.ts';

/** The pod that asks, and the ServiceAccount it runs as. */
export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly uid: string;
}

const VARIABLES: ReadonlyMap<string, (pod: PodIdentity) => string> = new Map([
  ['POD_NAME', pod => pod.name],
  ['POD_NAMESPACE', pod => pod.namespace],
  ['POD_UID', pod => pod.uid],
  ['SERVICE_ACCOUNT_NAME', pod => pod.serviceAccountName],
]);

/** A `$` without a name is an unknown variable. The limits keep the time linear. */
const REFERENCE = /\$(?:\{([A-Za-z0-9_]{0,32})\}|([A-Za-z0-9_]{0,32}))/g;

/** Why the text cannot be expanded, as a sentence without its subject; undefined if it can. */
export function findVariableProblem(text: string): string | undefined {
  const isKnown = [...text.matchAll(REFERENCE)].every(([, braced, bare]) => VARIABLES.has(braced ?? bare ?? ''));
  if (isKnown) return undefined;
  return `has an unknown variable: use ${[...VARIABLES.keys()].map(name => `\${${name}}`).join(', ')}`;
}

/** The text with its variables replaced; the error is that of findVariableProblem. */
export function expandVariables(text: string, pod: PodIdentity): Result<string> {
  const problem = findVariableProblem(text);
  if (problem !== undefined) return err(problem);
  const valueOf = (_: string, braced?: string, bare?: string) => VARIABLES.get(braced ?? bare ?? '')?.(pod) ?? '';
  return ok(text.replace(REFERENCE, valueOf));
}
