// Parses and formats signer names (spec.signerName of a CSR), which refer to cert-manager issuers. Every text is
// another signer's name, valid, or malformed. Never checks whether the issuer exists.

import { isNamespaceName, isObjectName } from './object-name.ts';
import { err, ok, type Result } from './result.ts';

/** The API group whose issuers this project signs with. */
export const ISSUER_GROUP = 'cert-manager.io';

export type IssuerKind = 'Issuer' | 'ClusterIssuer';

/** Identifies one issuer. `namespace` is empty for a ClusterIssuer, as in cert-manager's messages. */
export interface SignerRef {
  readonly kind: IssuerKind;
  readonly namespace: string;
  readonly name: string;
}

/** Why a text refers to no issuer: it is another signer's name, or malformed. */
export type SignerNameError = { readonly kind: 'foreign' } | { readonly kind: 'malformed'; readonly detail: string };

const NAME_RULE = 'use lowercase letters, digits, "-" and ".", at most 253 characters';

// Lowercase letters only, as in the match condition of the webhook: other names belong to other signers.
const OURS = /^([a-z]+)\.cert-manager\.io\/(.*)$/s;

/**
 * Parses `issuers.cert-manager.io/<namespace>.<name>` or `clusterissuers.cert-manager.io/<name>`. Dots belong to the
 * name: only the first dot after the slash separates, and only for an Issuer.
 */
export function parseSignerName(text: string): Result<SignerRef, SignerNameError> {
  const [, resource, path] = OURS.exec(text) ?? [];
  if (resource === undefined || path === undefined) return err({ kind: 'foreign' });
  if (resource === 'issuers') return parseIssuer(path);
  if (resource === 'clusterissuers') return parseClusterIssuer(path);
  return malformed(`the resource must be "issuers" or "clusterissuers", is "${resource}"`);
}

function parseIssuer(path: string): Result<SignerRef, SignerNameError> {
  const [namespace = '', ...rest] = path.split('.');
  const name = rest.join('.');
  if (rest.length === 0) return malformed('missing namespace; use "issuers.cert-manager.io/<namespace>.<name>"');
  if (!isNamespaceName(namespace))
    return malformed(
      `"${namespace}" is not a valid namespace name: use lowercase letters, digits and "-", at most 63 characters`,
    );
  if (!isObjectName(name)) return malformed(`"${name}" is not a valid Issuer name: ${NAME_RULE}`);
  return ok({ kind: 'Issuer', namespace, name });
}

function parseClusterIssuer(name: string): Result<SignerRef, SignerNameError> {
  if (!isObjectName(name)) return malformed(`"${name}" is not a valid ClusterIssuer name: ${NAME_RULE}`);
  return ok({ kind: 'ClusterIssuer', namespace: '', name });
}

function malformed(detail: string): Result<never, SignerNameError> {
  return err({ kind: 'malformed', detail });
}

/** The signer name of an issuer: the inverse of parseSignerName. */
export function formatSignerName(ref: SignerRef): string {
  return ref.kind === 'Issuer'
    ? `issuers.${ISSUER_GROUP}/${ref.namespace}.${ref.name}`
    : `clusterissuers.${ISSUER_GROUP}/${ref.name}`;
}

/** `<namespace>/<name>`, and `/<name>` for a ClusterIssuer, as in cert-manager's messages. */
export function formatRef(ref: SignerRef): string {
  return `${ref.namespace}/${ref.name}`;
}

/**
 * Who shares the cost of the issuer: the owner of its namespace, who may create any number of Issuers there, or the
 * ClusterIssuer alone. Empty for a malformed signer name.
 */
export function tenantOf(signerName: string): string {
  const ref = parseSignerName(signerName);
  if (!ref.ok) return '';
  return ref.value.kind === 'Issuer' ? `namespace/${ref.value.namespace}` : ref.value.name;
}
