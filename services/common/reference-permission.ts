// The permission that a requester needs to use an Issuer: `reference` on `signers` of cert-manager.io in the issuer's
// namespace. Makes the access reviews that ask for it and the Role that would grant it; asks nobody itself.

import { hash } from 'node:crypto';
import type { Requester } from './csr.ts';
import { reasons } from './reasons.ts';
import { shorten } from './short-text.ts';
import { ISSUER_GROUP, type SignerRef } from './signer-name.ts';

const RESOURCE = 'signers';
const VERB = 'reference';

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

/**
 * The reviews to ask for an Issuer: one that is allowed is enough. First the issuer's name, then the literal name `*`, for RBAC
 * has no wildcard in resourceNames and users of cert-manager write it there. A ClusterIssuer needs no permission: no reviews.
 */
export function referenceReviews(ref: SignerRef, requester: Requester): readonly SubjectAccessReview[] {
  if (ref.kind === 'ClusterIssuer') return [];
  return [ref.name, '*'].map(name => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      ...subject(requester),
      // Version `*`: the verb is no API call, so that it has no version (cert-manager's userCanReferenceSigner).
      resourceAttributes: {
        group: ISSUER_GROUP,
        resource: RESOURCE,
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

/** The smallest Role that lets its subjects reference one Issuer, as YAML. */
export function grantingRole(ref: SignerRef): string {
  // Names are quoted: YAML would read a namespace called 123 as a number.
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: ${roleName(ref)}
  namespace: "${ref.namespace}"
rules:
- apiGroups: ["${ISSUER_GROUP}"]
  resources: ["${RESOURCE}"]
  verbs: ["${VERB}"]
  resourceNames: ["${ref.name}"]
`;
}

/** Who may not do what and where, and the Role and the RoleBinding that would change it, ready to paste. */
export function denialText(ref: SignerRef, username: string): string {
  const user = shorten(username);
  const binding = `kubectl create rolebinding ${bindingName(ref, username)} --namespace=${ref.namespace} --role=${roleName(ref)}`;
  return `${reasons.DeniedReference.message(ref)}: user ${JSON.stringify(user)} lacks the verb "${VERB}" on "${RESOURCE}" of the API group "${ISSUER_GROUP}" for the name "${ref.name}" in the namespace "${ref.namespace}". This Role grants it:

${grantingRole(ref)}
and this gives the Role to the user:

${binding} --user=${shellQuote(user === username ? user : '<the whole user name>')}
`;
}

function roleName(ref: SignerRef): string {
  return `cert-manager-referencer:${ref.name}`;
}

/** Another one for each user, so that the second does not find it taken; a user name may hold what no name may. */
function bindingName(ref: SignerRef, username: string): string {
  return `${roleName(ref)}:${hash('sha256', username, 'hex').slice(0, 8)}`;
}

/** User names come from elsewhere and may hold anything: what is pasted into a shell must stay one word. */
function shellQuote(text: string): string {
  return /^[\w@.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
