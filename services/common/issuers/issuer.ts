// The fields of cert-manager.io/v1 Issuer and ClusterIssuer that are used: type, readiness, and where their Secrets
// are. Plain JSON, as the API server sends it; never changes an object.

import { keepText } from '../bounded-text.ts';
import type { Condition, ObjectMeta } from '../csr.ts';
import { pruneTermAnnotations } from '../pods/pod-terms.ts';
import { ISSUER_RESOURCES, type IssuerKind, type IssuerRef, resourceOf, type SignerRef } from '../signer-name.ts';
import { type IssuerSpec, type IssuerType, isServed, pruneSpec, typeOfSpec } from './issuer-types.ts';

/** An Issuer or a ClusterIssuer. List items have no `kind`. */
export interface Issuer {
  readonly kind?: IssuerKind;
  readonly metadata: ObjectMeta;
  readonly spec: IssuerSpec;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** On an issuer: `"true"` publishes its trust bundle where only annotated issuers have one. */
export const PUBLISH_TRUST_BUNDLE = 'countersign.io/publish-trust-bundle';

/** Characters: longer than `true`, so that a longer value stays different from it. */
const MAX_PUBLISH_LENGTH = 5;

/**
 * Characters of JSON, for more URLs than a certificate could hold. Users who may create Issuers must not fill the
 * memory of every watcher.
 */
const MAX_SPEC_SIZE = 65_536;

/** Keeps only the fields that are used. Throws if the spec is too large. */
export function toIssuer(raw: unknown): Issuer {
  const { metadata, spec, status } = raw as Issuer;
  const kept = {
    metadata: {
      ...pick(metadata, 'name', 'namespace', 'uid', 'resourceVersion', 'generation'),
      ...annotationsOf(metadata),
    },
    spec: pruneSpec(spec),
    status: { conditions: status?.conditions ?? [] },
  };
  const size = JSON.stringify(kept.spec).length;
  if (size > MAX_SPEC_SIZE)
    throw new Error(`the spec of ${metadata.name} is ${size} characters long; the maximum is ${MAX_SPEC_SIZE}`);
  return kept;
}

/** The annotations that are used here, bounded. */
function annotationsOf({ annotations }: ObjectMeta): Pick<ObjectMeta, 'annotations'> {
  const publish = annotations?.[PUBLISH_TRUST_BUNDLE];
  const kept = {
    ...pruneTermAnnotations(annotations),
    ...(publish !== undefined && { [PUBLISH_TRUST_BUNDLE]: keepText(publish, MAX_PUBLISH_LENGTH) }),
  };
  return Object.keys(kept).length === 0 ? {} : { annotations: kept };
}

function pick<T extends object>(source: T, ...names: readonly (keyof T)[]): T {
  return Object.fromEntries(names.filter(name => source[name] !== undefined).map(name => [name, source[name]])) as T;
}

/** Undefined if the spec has no type. */
export function issuerType(issuer: Issuer): IssuerType | undefined {
  return typeOfSpec(issuer.spec);
}

/** The type of an issuer whose requests are left to another signer; otherwise undefined. */
export function foreignType(issuer: Issuer, policy: { readonly delegates?: boolean } = {}): IssuerType | undefined {
  const type = issuerType(issuer);
  return type === undefined || isServed(type, policy) ? undefined : type;
}

/** The Ready condition, with any status. */
export function readyCondition(issuer: Issuer): Condition | undefined {
  return issuer.status?.conditions?.find(condition => condition.type === 'Ready');
}

/** Whether any Ready condition is "True". observedGeneration is ignored, as in cert-manager. */
export function isReady(issuer: Issuer): boolean {
  return issuer.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/**
 * For issuers from toIssuer, whose annotations are those that pods' requests need. Whether both versions judge a
 * request the same: false if the issuer was recreated or changed, or its readiness changed.
 */
export function isEquivalentForRequests(before: Issuer | undefined, now: Issuer | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  const [old, current] = [before.metadata, now.metadata];
  const isSameObject = old.uid === current.uid && old.generation === current.generation;
  const isSameToPods = JSON.stringify(old.annotations) === JSON.stringify(current.annotations);
  return isSameObject && isSameToPods && old.generation !== undefined && isReady(before) === isReady(now);
}

/** API path of the issuer. */
export function issuerPath(ref: IssuerRef): string {
  const { group, plural, isNamespaced } = ISSUER_RESOURCES[ref.kind];
  const place = isNamespaced ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
  return `/apis/${group}/v1${place}/${plural}/${encodeURIComponent(ref.name)}`;
}

/** The namespace of an issuer's Secrets: its own, or for a cluster-scoped issuer one fixed namespace. */
export function secretNamespace(ref: SignerRef, clusterResourceNamespace: string): string {
  return resourceOf(ref).isNamespaced ? ref.namespace : clusterResourceNamespace;
}
