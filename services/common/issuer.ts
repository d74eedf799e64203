// cert-manager.io/v1 Issuer and ClusterIssuer as they are read here: their type, whether they are ready, where they and
// their Secrets live. Plain JSON, as the API server sends it; nothing here changes an object.

import type { Condition, ObjectMeta } from './csr.ts';
import { ISSUER_GROUP, type IssuerKind, type SignerRef } from './signer-name.ts';

/** cert-manager's CAIssuer. */
export interface CaIssuerSpec {
  readonly secretName: string;
  readonly crlDistributionPoints?: readonly string[];
  readonly ocspServers?: readonly string[];
  readonly issuingCertificateURLs?: readonly string[];
}

/** cert-manager's SelfSignedIssuer. */
export interface SelfSignedIssuerSpec {
  readonly crlDistributionPoints?: readonly string[];
}

export interface IssuerSpec {
  readonly ca?: CaIssuerSpec;
  readonly selfSigned?: SelfSignedIssuerSpec;
  readonly acme?: unknown;
  readonly vault?: unknown;
  readonly venafi?: unknown;
}

/** An Issuer or a ClusterIssuer. Lists leave out `kind`. */
export interface Issuer {
  readonly kind?: IssuerKind;
  readonly metadata: ObjectMeta;
  readonly spec: IssuerSpec;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Characters of JSON: more URLs than a certificate could hold. Who may create an Issuer must not fill the memory of all who watch. */
const MAX_SPEC_SIZE = 65_536;

/** What is looked at of an issuer, out of all that the API server sends. Throws for a spec that is too large to be kept. */
export function toIssuer(raw: unknown): Issuer {
  const { metadata, spec, status } = raw as Issuer;
  const kept = {
    metadata: pick(metadata, 'name', 'namespace', 'uid', 'resourceVersion', 'generation'),
    spec: toSpec(spec),
    status: { conditions: status?.conditions ?? [] },
  };
  const size = JSON.stringify(kept.spec).length;
  if (size > MAX_SPEC_SIZE) throw new Error(`the spec of ${metadata.name} has ${size} characters, too many to be kept`);
  return kept;
}

/** Of the types that are left to others, no more than that they are there. */
function toSpec(spec: IssuerSpec | undefined): IssuerSpec {
  const types = TYPES.filter(type => spec?.[type] != null).map(type => [type, {}] as const);
  return {
    ...Object.fromEntries(types),
    ...(spec?.ca && {
      ca: pick(spec.ca, 'secretName', 'crlDistributionPoints', 'ocspServers', 'issuingCertificateURLs'),
    }),
    ...(spec?.selfSigned && { selfSigned: pick(spec.selfSigned, 'crlDistributionPoints') }),
  };
}

function pick<T extends object>(source: T, ...names: readonly (keyof T)[]): T {
  return Object.fromEntries(names.filter(name => source[name] !== undefined).map(name => [name, source[name]])) as T;
}

export type IssuerType = 'acme' | 'ca' | 'vault' | 'selfSigned' | 'venafi';

// The order in which cert-manager looks (pkg/api/util NameForIssuer): it decides if a spec has two types.
const TYPES: readonly IssuerType[] = ['acme', 'ca', 'vault', 'selfSigned', 'venafi'];

/** The type of an issuer; undefined if its spec names none. */
export function issuerType(issuer: Issuer): IssuerType | undefined {
  // Go reads null as absent; the spec itself may be missing where the CRD is older than its schema.
  return TYPES.find(type => issuer.spec?.[type] != null);
}

/** The type of an issuer that is left to other signers: none that services/signer/issuers has. Undefined without a type. */
export function foreignType(issuer: Issuer): IssuerType | undefined {
  const type = issuerType(issuer);
  return type === 'ca' || type === 'selfSigned' ? undefined : type;
}

/** The condition of type Ready, whatever its status. */
export function readyCondition(issuer: Issuer): Condition | undefined {
  return issuer.status?.conditions?.find(condition => condition.type === 'Ready');
}

/** Whether any Ready condition is "True". observedGeneration does not matter, as in cert-manager. */
export function isReady(issuer: Issuer): boolean {
  return issuer.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Whether what a request is judged by is the same: not so when it was made anew, changed, or became ready. */
export function isSameToRequests(before: Issuer | undefined, now: Issuer | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  const [old, current] = [before.metadata, now.metadata];
  const isSameObject = old.uid === current.uid && old.generation === current.generation;
  return isSameObject && old.generation !== undefined && isReady(before) === isReady(now);
}

/** Path of the issuer in the API. */
export function issuerPath(ref: SignerRef): string {
  const base = `/apis/${ISSUER_GROUP}/v1`;
  const name = encodeURIComponent(ref.name);
  if (ref.kind === 'ClusterIssuer') return `${base}/clusterissuers/${name}`;
  return `${base}/namespaces/${encodeURIComponent(ref.namespace)}/issuers/${name}`;
}

/** Where the Secrets of an issuer live: in its own namespace, and for a ClusterIssuer in one fixed namespace. */
export function secretNamespace(ref: SignerRef, clusterResourceNamespace: string): string {
  return ref.kind === 'ClusterIssuer' ? clusterResourceNamespace : ref.namespace;
}
