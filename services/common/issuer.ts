// cert-manager.io/v1 Issuer and ClusterIssuer as they are read here: their type, whether they are ready, where they and
// their Secrets live. Plain JSON, as the API server sends it; nothing here changes an object.

import type { Condition, ObjectMeta } from './csr.ts';
import { type IssuerSpec, type IssuerType, issuerTypes, pruneSpec, typeOfSpec } from './issuer-types.ts';
import { pruneTermAnnotations, TERM_ANNOTATIONS } from './pod-terms.ts';
import { ISSUER_GROUP, type IssuerKind, type SignerRef } from './signer-name.ts';

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
  const terms = pruneTermAnnotations(metadata.annotations);
  const kept = {
    metadata: {
      ...pick(metadata, 'name', 'namespace', 'uid', 'resourceVersion', 'generation'),
      ...(Object.keys(terms).length > 0 && { annotations: terms }),
    },
    spec: pruneSpec(spec),
    status: { conditions: status?.conditions ?? [] },
  };
  const size = JSON.stringify(kept.spec).length;
  if (size > MAX_SPEC_SIZE) throw new Error(`the spec of ${metadata.name} has ${size} characters, too many to be kept`);
  return kept;
}

function pick<T extends object>(source: T, ...names: readonly (keyof T)[]): T {
  return Object.fromEntries(names.filter(name => source[name] !== undefined).map(name => [name, source[name]])) as T;
}

/** The type of an issuer; undefined if its spec names none. */
export function issuerType(issuer: Issuer): IssuerType | undefined {
  return typeOfSpec(issuer.spec);
}

/** The type of an issuer that is left to other signers; undefined without a type. */
export function foreignType(issuer: Issuer): IssuerType | undefined {
  const type = issuerType(issuer);
  return type === undefined || issuerTypes[type].signedHere ? undefined : type;
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
  const isSameToPods = TERM_ANNOTATIONS.every(key => old.annotations?.[key] === current.annotations?.[key]);
  return isSameObject && isSameToPods && old.generation !== undefined && isReady(before) === isReady(now);
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
