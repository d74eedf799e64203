// The permission that a requester needs to use an issuer: `reference` on `signers` of cert-manager.io in the Issuer's namespace,
// and, only where the operator demands one, `reference` on `clusterissuers`. Makes the access reviews that ask for it and the
// role that would grant it; asks nobody itself.

import { hash } from 'node:crypto';
import type { Requester } from './csr.ts';
import { reasons } from './reasons.ts';
import type { RequestPolicy } from './request-policy.ts';
import { shorten } from './short-text.ts';
import { formatRef, ISSUER_GROUP, type SignerRef } from './signer-name.ts';

/** Not `signers` for both: whoever may use the ClusterIssuer `ca` could use the Issuer `ca` of every namespace. */
const RESOURCES = { Issuer: 'signers', ClusterIssuer: 'clusterissuers' } as const;
const VERB = 'reference';

/** Where access reviews are posted to. */
export const ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/** authorization.k8s.io/v1 SubjectAccessReview, as sent and as answered. */
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

/** As with cert-manager, a ClusterIssuer is for everybody, unless the operator says otherwise. */
export function needsPermission({ kind }: SignerRef, { authorizeClusterIssuers }: RequestPolicy): boolean {
  return kind === 'Issuer' || authorizeClusterIssuers;
}

/**
 * The reviews to ask where a permission is needed: one that is allowed is enough. First the issuer's name, then the literal
 * name `*`, for RBAC has no wildcard in resourceNames and users of cert-manager write it there.
 */
export function referenceReviews(ref: SignerRef, requester: Requester): readonly SubjectAccessReview[] {
  return [ref.name, '*'].map(name => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      ...subject(requester),
      // Version `*`: the verb is no API call, so that it has no version (cert-manager's userCanReferenceSigner).
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

/** The smallest Role, or ClusterRole, that lets its subjects reference one issuer, as YAML. */
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

/** Who may not do what and where, and the role and the binding that would change it, ready to paste. */
export function denialText(ref: SignerRef, username: string): string {
  const user = shorten(username);
  const binding = bindingCommand(ref, bindingName(ref, username));
  return `${reasons.DeniedReference.message(ref)}: user ${JSON.stringify(user)} ${lackOf(ref)}. This ${roleKind(ref)} grants it:

${grantingRole(ref)}
and this gives the ${roleKind(ref)} to the user:

${binding} --user=${shellQuote(user === username ? user : '<the whole user name>')}
`;
}

/** Which ServiceAccount may not do what and where, in one line. */
export function podDenialText(ref: SignerRef, namespace: string, serviceAccountName: string): string {
  const issuer = ref.kind === 'Issuer' ? `Issuer ${formatRef(ref)}` : `ClusterIssuer ${ref.name}`;
  return `ServiceAccount ${namespace}/${serviceAccountName} may not reference ${issuer}: it ${lackOf(ref)}`;
}

function lackOf(ref: SignerRef): string {
  const where = ref.kind === 'Issuer' ? ` in the namespace "${ref.namespace}"` : '';
  return `lacks the verb "${VERB}" on "${RESOURCES[ref.kind]}" of the API group "${ISSUER_GROUP}" for the name "${ref.name}"${where}`;
}

function bindingCommand(ref: SignerRef, binding: string): string {
  return ref.kind === 'ClusterIssuer'
    ? `kubectl create clusterrolebinding ${binding} --clusterrole=${roleName(ref)}`
    : `kubectl create rolebinding ${binding} --namespace=${ref.namespace} --role=${roleName(ref)}`;
}

function roleKind({ kind }: SignerRef): 'Role' | 'ClusterRole' {
  return kind === 'Issuer' ? 'Role' : 'ClusterRole';
}

/** A ClusterRole of the first name may be there for Issuers: bound in the cluster, it would grant that of every namespace. */
function roleName({ kind, name }: SignerRef): string {
  return kind === 'Issuer' ? `cert-manager-referencer:${name}` : `cert-manager-cluster-referencer:${name}`;
}

/** Another one for each user, so that the second does not find it taken; a user name may hold what no name may. */
function bindingName(ref: SignerRef, username: string): string {
  return `${roleName(ref)}:${hash('sha256', username, 'hex').slice(0, 8)}`;
}

/** User names come from elsewhere and may hold anything: what is pasted into a shell must stay one word. */
function shellQuote(text: string): string {
  return /^[\w@.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
