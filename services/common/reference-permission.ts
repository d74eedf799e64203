// The permission that a requester needs to use an issuer: `reference` on `signers` of cert-manager.io in the Issuer's
// namespace and, only if the operator requires it, `reference` on `clusterissuers`. Builds the access reviews and the
// role that grants it; sends nothing.

import { hash } from 'node:crypto';
import type { Requester } from './csr.ts';
import { reasons } from './reasons/reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import { shorten } from './short-text.ts';
import { formatRef, ISSUER_GROUP, type SignerRef } from './signer-name.ts';

/**
 * Not `signers` for both: a user allowed to use the ClusterIssuer `ca` could use the Issuer `ca` of every namespace.
 */
const RESOURCES = { Issuer: 'signers', ClusterIssuer: 'clusterissuers' } as const;
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

/** As in cert-manager, anyone may use a ClusterIssuer unless the operator requires permission. */
export function needsPermission({ kind }: SignerRef, { authorizeClusterIssuers }: RequestPolicy): boolean {
  return kind === 'Issuer' || authorizeClusterIssuers;
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
        group: ISSUER_GROUP,
        resource: RESOURCES[ref.kind],
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
  const namespace = ref.kind === 'Issuer' ? `\n  namespace: "${ref.namespace}"` : '';
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ${roleKind(ref)}
metadata:
  name: ${roleName(ref)}${namespace}
rules:
- apiGroups: ["${ISSUER_GROUP}"]
  resources: ["${RESOURCES[ref.kind]}"]
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
  const issuer = ref.kind === 'Issuer' ? `Issuer ${formatRef(ref)}` : `ClusterIssuer ${ref.name}`;
  return `ServiceAccount ${namespace}/${serviceAccountName} may not reference ${issuer}: it ${lackOf(ref)}`;
}

function lackOf(ref: SignerRef): string {
  const where = ref.kind === 'Issuer' ? ` in the namespace "${ref.namespace}"` : '';
  return `cannot ${VERB} resource "${RESOURCES[ref.kind]}" in API group "${ISSUER_GROUP}" with the name "${ref.name}"${where}`;
}

function bindingCommand(ref: SignerRef, binding: string): string {
  return ref.kind === 'ClusterIssuer'
    ? `kubectl create clusterrolebinding ${binding} --clusterrole=${roleName(ref)}`
    : `kubectl create rolebinding ${binding} --namespace=${ref.namespace} --role=${roleName(ref)}`;
}

function roleKind({ kind }: SignerRef): 'Role' | 'ClusterRole' {
  return kind === 'Issuer' ? 'Role' : 'ClusterRole';
}

/**
 * A ClusterRole with the first name may exist for Issuers: bound in the cluster, it would grant those of
 * every namespace.
 */
function roleName({ kind, name }: SignerRef): string {
  return kind === 'Issuer' ? `cert-manager-referencer:${name}` : `cert-manager-cluster-referencer:${name}`;
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
  const [role, binding] = [roleName(ref), bindingName(ref, username)];
  const bind =
    ref.kind === 'Issuer'
      ? `kubectl create rolebinding ${binding} --namespace=${ref.namespace} --role=${role}`
      : `kubectl create clusterrolebinding ${binding} --clusterrole=${role}`;
  return `kubectl apply -f - <<'EOF'\n${grantingRole(ref)}EOF\n${bind} --user=${shellQuote(username)}`;
}
