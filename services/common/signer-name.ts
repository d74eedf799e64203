// Parses and formats signer names (spec.signerName of a CSR), which refer to issuers: those of cert-manager, and those
// of the external types that the operator lists. Every text is another signer's name, valid, or malformed. Never checks
// whether the issuer exists.

import { isNamespaceName, isObjectName } from './object-name.ts';
import { err, ok, type Result } from './result.ts';

/** The API group of cert-manager's own issuers. */
export const ISSUER_GROUP = 'cert-manager.io';

/** A resource of the Kubernetes API whose objects are issuers. */
export interface IssuerResource {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

export type IssuerKind = 'Issuer' | 'ClusterIssuer';

/** cert-manager's own. */
export const ISSUER_RESOURCES: Readonly<Record<IssuerKind, IssuerResource>> = {
  Issuer: { group: ISSUER_GROUP, plural: 'issuers', kind: 'Issuer', isNamespaced: true },
  ClusterIssuer: { group: ISSUER_GROUP, plural: 'clusterissuers', kind: 'ClusterIssuer', isNamespaced: false },
};

/** `issuers.cert-manager.io`: the name of its CustomResourceDefinition, and how its signer names begin. */
export function domainOf({ plural, group }: IssuerResource): string {
  return `${plural}.${group}`;
}

/** Identifies one issuer of cert-manager. `namespace` is empty for a ClusterIssuer, as in cert-manager's messages. */
export interface IssuerRef {
  readonly kind: IssuerKind;
  readonly namespace: string;
  readonly name: string;
  readonly external?: undefined;
}

/** Identifies one external issuer. `namespace` is empty if its type is cluster-scoped; `kind` may be any. */
export interface ExternalRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly external: IssuerResource;
}

/** Identifies one issuer. */
export type SignerRef = IssuerRef | ExternalRef;

/** Why a text refers to no issuer: it is another signer's name, or malformed. */
export type SignerNameError = { readonly kind: 'foreign' } | { readonly kind: 'malformed'; readonly detail: string };

const NAME_RULE = 'use lowercase letters, digits, "-" and ".", at most 253 characters';

// Lowercase letters only, as in the match condition of the webhook: other names belong to other signers.
const OURS = /^([a-z]+)\.cert-manager\.io\/(.*)$/s;

/**
 * Parses `issuers.cert-manager.io/<namespace>.<name>`, `clusterissuers.cert-manager.io/<name>` and, for the external
 * types that are listed, `<plural>.<group>/<namespace>.<name>` or `<plural>.<group>/<name>`. Dots belong to the name:
 * only the first dot after the slash separates, and only where the issuers have namespaces.
 */
export function parseSignerName(text: string): Result<IssuerRef, SignerNameError>;
export function parseSignerName(text: string, external: readonly IssuerResource[]): Result<SignerRef, SignerNameError>;
export function parseSignerName(
  text: string,
  external: readonly IssuerResource[] = [],
): Result<SignerRef, SignerNameError> {
  const listed = findListed(text, external);
  if (listed !== undefined) {
    const path = parsePath(text.slice(text.indexOf('/') + 1), listed);
    return path.ok ? ok({ kind: listed.kind, ...path.value, external: listed }) : path;
  }
  const [, plural, path] = OURS.exec(text) ?? [];
  if (plural === undefined || path === undefined) return err({ kind: 'foreign' });
  const kind = KINDS.find(each => ISSUER_RESOURCES[each].plural === plural);
  if (kind === undefined) return malformed(`the resource must be "issuers" or "clusterissuers", is "${plural}"`);
  const place = parsePath(path, ISSUER_RESOURCES[kind]);
  return place.ok ? ok({ kind, ...place.value }) : place;
}

const KINDS = Object.keys(ISSUER_RESOURCES) as IssuerKind[];

function findListed(text: string, external: readonly IssuerResource[]): IssuerResource | undefined {
  const slash = text.indexOf('/');
  return slash < 0 ? undefined : external.find(each => domainOf(each) === text.slice(0, slash));
}

type Place = Pick<SignerRef, 'namespace' | 'name'>;

/** What follows the slash. */
function parsePath(path: string, resource: IssuerResource): Result<Place, SignerNameError> {
  const { kind, isNamespaced } = resource;
  if (!isNamespaced) return isObjectName(path) ? ok({ namespace: '', name: path }) : badName(path, kind);
  const dot = path.indexOf('.');
  if (dot < 0) return malformed(`missing namespace; use "${domainOf(resource)}/<namespace>.<name>"`);
  const [namespace, name] = [path.slice(0, dot), path.slice(dot + 1)];
  if (!isNamespaceName(namespace))
    return malformed(
      `"${namespace}" is not a valid namespace name: use lowercase letters, digits and "-", at most 63 characters`,
    );
  return isObjectName(name) ? ok({ namespace, name }) : badName(name, kind);
}

function badName(name: string, kind: string): Result<never, SignerNameError> {
  return malformed(`"${name}" is not a valid ${kind} name: ${NAME_RULE}`);
}

function malformed(detail: string): Result<never, SignerNameError> {
  return err({ kind: 'malformed', detail });
}

/** The resource that the issuer is an object of. */
export function resourceOf(ref: SignerRef): IssuerResource {
  return ref.external ?? ISSUER_RESOURCES[ref.kind];
}

/** The signer name of an issuer: the inverse of parseSignerName. */
export function formatSignerName(ref: SignerRef): string {
  const resource = resourceOf(ref);
  return `${domainOf(resource)}/${resource.isNamespaced ? `${ref.namespace}.` : ''}${ref.name}`;
}

/** `<namespace>/<name>`, and `/<name>` for a ClusterIssuer, as in cert-manager's messages. */
export function formatRef(ref: SignerRef): string {
  return `${ref.namespace}/${ref.name}`;
}

/**
 * Who shares the cost of the issuer: the owner of its namespace, who may create any number of Issuers there, or the
 * cluster-scoped issuer alone. Empty for a malformed signer name.
 */
export function tenantOf(signerName: string, external: readonly IssuerResource[] = []): string {
  const ref = parseSignerName(signerName, external);
  if (!ref.ok) return '';
  const { namespace, name } = ref.value;
  if (namespace !== '') return `namespace/${namespace}`;
  return ref.value.external === undefined ? name : `${domainOf(ref.value.external)}/${name}`;
}
