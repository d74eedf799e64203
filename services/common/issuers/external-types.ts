// The external issuer types that the operator lists: reads the list, and says what is wrong with it. Pure. The list is
// the only way in: some controllers sign the CSRs of their cluster-scoped issuers themselves.

import { isDnsName } from '../dns-name.ts';
import { isNamespaceName } from '../object-name.ts';
import { domainOf, ISSUER_GROUP, type IssuerResource, parseSignerName } from '../signer-name.ts';

/** Signers of the cluster itself, and cert-manager's own groups. */
const RESERVED = /(^|\.)(kubernetes\.io|k8s\.io)$/;
const CERT_MANAGER: ReadonlySet<string> = new Set([ISSUER_GROUP, `acme.${ISSUER_GROUP}`]);

const ENTRY = /^([^.=]*)\.([^=]*)=([^:]*):(.*)$/;
const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;
const PLURAL = /^[a-z]/;
const SCOPES: ReadonlySet<string> = new Set(['Namespaced', 'Cluster']);
const EXAMPLE = 'awspcaissuers.awspca.cert-manager.io=AWSPCAIssuer:Namespaced';

interface ExternalTypes {
  readonly types: readonly IssuerResource[];
  /** Empty if every entry is valid. */
  readonly mistakes: readonly string[];
}

/**
 * `list`: entries with commas between, each `<plural>.<group>=<kind>:<scope>` as in the CustomResourceDefinition.
 * Neither is discovered: what a signer name means must not depend on whether a controller is installed yet.
 */
export function parseExternalTypes(list: string): ExternalTypes {
  const entries = list
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
    .map(readEntry);
  const types = entries.filter(entry => typeof entry !== 'string');
  const mistakes = entries.filter(entry => typeof entry === 'string');
  return { types, mistakes: [...mistakes, ...findDuplicates(types)] };
}

/** The type, or what is wrong. */
function readEntry(entry: string): IssuerResource | string {
  const [, plural, group, kind, scope] = ENTRY.exec(entry) ?? [];
  if (!plural || !group || !kind || !scope) {
    return `"${entry}" is not <plural>.<group>=<kind>:<scope>, such as ${EXAMPLE}`;
  }
  const problem = findNameProblem(plural, group) ?? findKindProblem(kind, scope);
  return problem === undefined
    ? { group, plural, kind, isNamespaced: scope === 'Namespaced' }
    : `"${plural}.${group}" ${problem}`;
}

function findNameProblem(plural: string, group: string): string | undefined {
  if (!isNamespaceName(plural) || !PLURAL.test(plural) || !isGroup(group)) {
    return 'is not the name of a CustomResourceDefinition: use <plural>.<group>';
  }
  return isReserved(group)
    ? `is in the group ${group}, which is reserved: list only the types of external issuers`
    : undefined;
}

function findKindProblem(kind: string, scope: string): string | undefined {
  if (!KIND.test(kind)) return `has the kind "${kind}": use spec.names.kind of its CustomResourceDefinition`;
  return SCOPES.has(scope)
    ? undefined
    : `has the scope "${scope}": use Namespaced or Cluster, as spec.scope of its CustomResourceDefinition`;
}

/** The API server requires a dot in the group of a CustomResourceDefinition. */
function isGroup(group: string): boolean {
  return isDnsName(group) && group.includes('.');
}

function isReserved(group: string): boolean {
  return RESERVED.test(group) || CERT_MANAGER.has(group);
}

function findDuplicates(types: readonly IssuerResource[]): readonly string[] {
  const counts = Map.groupBy(types, domainOf);
  return [...counts].flatMap(([domain, all]) => (all.length > 1 ? [`${domain} is listed ${all.length} times`] : []));
}

/**
 * Whether the signer name can be that of an external issuer, for those who do not know the list; never that of a
 * signer of the cluster.
 */
export function hasExternalForm(signerName: string): boolean {
  const [, plural = '', group = ''] = /^([^./]*)\.([^/]*)\//.exec(signerName) ?? [];
  if (!isNamespaceName(plural) || !isGroup(group) || isReserved(group)) return false;
  // Of the two scopes, this one allows more names.
  return parseSignerName(signerName, [{ group, plural, kind: 'issuer', isNamespaced: false }]).ok;
}
