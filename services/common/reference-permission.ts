// The permission that a requester needs to use an issuer, in the API group of the issuer: `reference` on `signers` in
// its namespace and, only if the operator requires it, `reference` on a cluster-scoped resource, such as
// `clusterissuers`. Builds the access reviews and the role that grants it; sends nothing.

import { hash } from 'node:crypto';
import type { Requester } from './csr.ts';
import { formatIssuer } from './reasons/own-reasons.ts';
import { reasons } from './reasons/reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import { shorten } from './short-text.ts';
import { domainOf, resourceOf, type SignerRef } from './signer-name.ts';

const VERB = 'reference';

/** Path of SubjectAccessReviews. */
export const ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/** authorization.k8s.io/v1 SubjectAccessReview, as sent and as returned. */
export interface SubjectAccessReview {
  readonly apiVersion: 'authorization.k8s.io/v1';
  readonly kind: 'SubjectAccessReview';
  readonly spec: {
    readonly user?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
    readonly resourceAttributes: Readonly<Record<ResourceAttribute, string>>;
  };
  readonly status?: { readonly allowed: boolean; readonly reason?: string };
}

type ResourceAttribute = 'group' | 'resource' | 'verb' | 'namespace' | 'name' | 'version';

/**
 * Not `signers` for both: a user allowed to use the ClusterIssuer `ca` could use the Issuer `ca` of every namespace.
 * In the group of an external issuer: otherwise a Role for the Issuer `ca` would also open the external issuer `ca`.
 */
function permissionOf(ref: SignerRef): { readonly group: string; readonly resource: string } {
  const { group, plural, isNamespaced } = resourceOf(ref);
  return { group, resource: isNamespaced ? 'signers' : plural };
}

/** As in cert-manager, anyone may use a ClusterIssuer unless the operator requires permission. */
export function needsPermission(ref: SignerRef, { authorizeClusterIssuers }: RequestPolicy): boolean {
  return resourceOf(ref).isNamespaced || authorizeClusterIssuers;
}

/**
 * The access reviews for the permission; one allowed review is enough. First the issuer's name, then the literal name
 * `*`, because RBAC has no wildcard in resourceNames and users of cert-manager write it there.
 */
export function referenceReviews(ref: SignerRef, requester: Requester): readonly SubjectAccessReview[] {
  return [ref.name, '*'].map(name => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      ...subject(requester),
      // Version `*`: the verb is not an API call and has no version (cert-manager's userCanReferenceSigner).
      resourceAttributes: {
        ...permissionOf(ref),
        verb: VERB,
        namespace: ref.namespace,
        name,
        version: '*',
      },
    },
  }));
}

/** A review calls `user` what a CSR calls `username`. */
function subject({ username, uid, groups, extra }: Requester): Omit<SubjectAccessReview['spec'], 'resourceAttributes'> {
  return {
    ...(username !== undefined && { user: username }),
    ...(uid !== undefined && { uid }),
    ...(groups !== undefined && { groups }),
    ...(extra !== undefined && { extra }),
  };
}

/** The smallest Role or ClusterRole that permits its subjects to reference one issuer, as YAML. */
export function grantingRole(ref: SignerRef): string {
  // Names are quoted: YAML would read a namespace called 123 as a number.
  const namespace = resourceOf(ref).isNamespaced ? `\n  namespace: "${ref.namespace}"` : '';
  const { group, resource } = permissionOf(ref);
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ${roleKind(ref)}
metadata:
  name: ${roleName(ref)}${namespace}
rules:
- apiGroups: ["${group}"]
  resources: ["${resource}"]
  verbs: ["${VERB}"]
  resourceNames: ["${ref.name}"]
`;
}

/** Which permission the user lacks and where, with the role and the binding that grant it, ready to paste. */
export function denialText(ref: SignerRef, username: string): string {
  const user = shorten(username);
  const binding = bindingCommand(ref, bindingName(ref, username));
  return `${reasons.DeniedReference.message(ref)}: user ${JSON.stringify(user)} ${lackOf(ref)}. This ${roleKind(ref)} grants it:

${grantingRole(ref)}
and this command binds the ${roleKind(ref)} to the user:

${binding} --user=${shellQuote(user === username ? user : '<full user name>')}
`;
}

/** Which permission the ServiceAccount of a pod lacks and where, in one line. */
export function podDenialText(ref: SignerRef, namespace: string, serviceAccountName: string): string {
  return `ServiceAccount ${namespace}/${serviceAccountName} may not reference ${formatIssuer(ref)}: it ${lackOf(ref)}`;
}

function lackOf(ref: SignerRef): string {
  const where = resourceOf(ref).isNamespaced ? ` in the namespace "${ref.namespace}"` : '';
  const { group, resource } = permissionOf(ref);
  return `cannot ${VERB} resource "${resource}" in API group "${group}" with the name "${ref.name}"${where}`;
}

function bindingCommand(ref: SignerRef, binding: string): string {
  return resourceOf(ref).isNamespaced
    ? `kubectl create rolebinding ${binding} --namespace=${ref.namespace} --role=${roleName(ref)}`
    : `kubectl create clusterrolebinding ${binding} --clusterrole=${roleName(ref)}`;
}

function roleKind(ref: SignerRef): 'Role' | 'ClusterRole' {
  return resourceOf(ref).isNamespaced ? 'Role' : 'ClusterRole';
}

/**
 * A ClusterRole with the first name may exist for Issuers: bound in the cluster, it would grant those of
 * every namespace. Each external type has names of its own, since a Role of the same name would be overwritten.
 */
function roleName(ref: SignerRef): string {
  if (ref.external !== undefined) return `${domainOf(ref.external)}-referencer:${ref.name}`;
  return ref.kind === 'Issuer' ? `cert-manager-referencer:${ref.name}` : `cert-manager-cluster-referencer:${ref.name}`;
}

/** Different for each user, to avoid conflicts; a user name may contain characters that an object name cannot. */
function bindingName(ref: SignerRef, username: string): string {
  return `${roleName(ref)}:${hash('sha256', username, 'hex').slice(0, 8)}`;
}

/** User names may contain anything: pasted into a shell, one must stay one word. */
export function shellQuote(text: string): string {
  return /^[\w@.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The commands that grant the permission to the user, ready to paste. */
export function grantCommands(ref: SignerRef, username: string): string {
  const bind = bindingCommand(ref, bindingName(ref, username));
  return `kubectl apply -f - <<'EOF'\n${grantingRole(ref)}EOF\n${bind} --user=${shellQuote(username)}`;
}
