// Makes the reads that a decision on one request needs, one at a time, and no others. Cached data is good enough to
// sign with; observeNow reads from the API server before anything irreversible. Never writes.

import { explainProblem } from '@countersign/common/approval/explain.ts';
import type { Asked } from '@countersign/common/approval/request/judged-request.ts';
import type { Requester } from '@countersign/common/csr.ts';
import { describeExternal } from '@countersign/common/issuers/external-issuer.ts';
import { type Issuer, issuerPath, secretNamespace, toIssuer } from '@countersign/common/issuers/issuer.ts';
import { issuerTypes, signingSecret } from '@countersign/common/issuers/issuer-types.ts';
import { referenceReviews } from '@countersign/common/reference-permission.ts';
import { asRetryableError, RetryableError } from '@countersign/common/runtime/errors.ts';
import { isAnyAllowed } from '@countersign/common/runtime/kube/access-review.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import type { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { nextRead, type Observation, type Read } from './decide.ts';
import type { IssuancePolicy } from './issuance/issuance-policy.ts';
import { findHandler, type IssuerTypeHandler } from './issuers/issuer-type.ts';
import { observeSecret } from './issuers/observe-secret.ts';
import type { RequestKind, RequestRecord } from './requests/request-kind.ts';
import type { SecretReader } from './secret-reader.ts';

/** Operator settings that affect how requests are signed. */
export interface SigningSettings {
  readonly policy: IssuancePolicy;
  readonly handlers: readonly IssuerTypeHandler[];
  /** The namespace of the Secrets of ClusterIssuers. */
  readonly clusterResourceNamespace: string;
  /** Whether to write the `ca` annotation with the certificate. */
  readonly writeCaAnnotation: boolean;
}

export interface ObserveDeps {
  readonly client: Pick<KubeClient, 'create' | 'get'>;
  readonly secrets: Pick<SecretReader, 'read' | 'readNow'>;
  readonly view: { findIssuer(ref: SignerRef): Issuer | undefined };
  readonly reviews: Pick<SharedAnswers<boolean>, 'find'>;
  readonly settings: SigningSettings;
  /** Undefined if an approval is enough, whatever the approval policies say. */
  readonly approvals?: Pick<PolicyCache, 'evaluate'> | undefined;
}

/** A request and its kind. */
interface Asking<R extends RequestRecord> {
  readonly kind: RequestKind<R>;
  readonly record: R;
}

export function observe<R extends RequestRecord>(
  deps: ObserveDeps,
  asking: Asking<R>,
  ref: SignerRef,
): Promise<Observation> {
  return complete(deps, asking, begin(deps, asking, { ref, issuer: deps.view.findIssuer(ref) }), 'read');
}

/**
 * Like observe, but reads from the API server only. The permission from the first observation was checked in this
 * reconcile and still holds.
 */
export async function observeNow<R extends RequestRecord>(
  deps: ObserveDeps,
  asking: Asking<R>,
  { ref, mayReference }: Observation,
): Promise<Observation> {
  const known = begin(deps, asking, { ref, issuer: await readIssuer(deps, ref) });
  return complete(deps, asking, { ...known, ...(mayReference !== undefined && { mayReference }) }, 'readNow');
}

function begin<R extends RequestRecord>(
  { settings: { policy, handlers }, approvals }: ObserveDeps,
  { kind, record }: Asking<R>,
  { ref, issuer }: Pick<Observation, 'ref' | 'issuer'>,
): Observation {
  return {
    ref,
    policy,
    issuer,
    handler: findHandler(
      handlers.filter(({ type }) => kind.serves(type)),
      issuer,
    ),
    whenNotServed: kind.whenNotServed,
    needsPermission: kind.needsPermission(ref, policy),
    keySecretName: kind.keySecretName(record),
    needsApprovalPolicy: approvals !== undefined && kind.askedOf(record) !== undefined,
  };
}

type HowToRead = 'read' | 'readNow';

async function complete<R extends RequestRecord>(
  deps: ObserveDeps,
  asking: Asking<R>,
  begun: Observation,
  how: HowToRead,
): Promise<Observation> {
  let known = begun;
  for (let next = nextRead(known); next !== undefined; next = nextRead(known)) {
    known = { ...known, [next]: await readOne(deps, asking, { known, next, how }) };
  }
  return known;
}

interface Missing {
  readonly known: Observation;
  readonly next: Read;
  readonly how: HowToRead;
}

function readOne<R extends RequestRecord>(
  deps: ObserveDeps,
  { kind, record }: Asking<R>,
  { known, next, how }: Missing,
): unknown {
  switch (next) {
    case 'mayReference':
      return askMayReference(deps, kind.requesterOf(record), known.ref);
    case 'requested':
      return kind.toRequestedCertificate(record, known.policy, {
        type: known.handler?.type,
        issuer: known.issuer,
      });
    case 'material':
      return loadMaterial(deps, known, how);
    case 'approval':
      return evaluateApproval(deps, kind.askedOf(record), known.requested);
  }
}

/** Undefined if the issuer has no signing Secret. */
export async function loadMaterial(
  { secrets, settings }: Pick<ObserveDeps, 'secrets' | 'settings'>,
  { ref, issuer, handler, keySecretName }: Pick<Observation, 'ref' | 'issuer' | 'handler' | 'keySecretName'>,
  how: HowToRead,
): Promise<unknown> {
  const secret = issuer && signingSecret(issuer.spec, keySecretName);
  if (handler === undefined || secret === undefined) return undefined;
  const at = { namespace: secretNamespace(ref, settings.clusterResourceNamespace), name: secret.name };
  return handler.load(await observeSecret(secrets[how](at), at, issuerTypes[handler.type].reasons.secretReadFailed));
}

/** A policy that is not known yet could be one that denies. */
function evaluateApproval(
  { approvals }: ObserveDeps,
  asked: Asked | undefined,
  requested: Observation['requested'],
): Observation['approval'] {
  if (asked === undefined || requested === undefined) return { problem: undefined };
  const evaluation = approvals?.evaluate(requested, asked);
  if (evaluation !== undefined) return { problem: explainProblem(evaluation, asked) };
  throw new RetryableError('the approval policies are not up to date', { code: 'unknown' });
}

/** Uses a list with a field selector: the signer may list issuers but has no `get` permission. */
async function readIssuer({ client }: ObserveDeps, ref: SignerRef): Promise<Issuer | undefined> {
  if (ref.external !== undefined) return describeExternal(ref);
  const [collection, name] = splitPath(issuerPath(ref));
  try {
    const list = await client.get<{ items?: readonly unknown[] }>(
      `${collection}?fieldSelector=metadata.name%3D${name}`,
    );
    return list?.items?.map(toIssuer)[0];
  } catch (error) {
    throw asRetryableError(error);
  }
}

function splitPath(path: string): readonly [collection: string, name: string] {
  const end = path.lastIndexOf('/');
  return [path.slice(0, end), path.slice(end + 1)];
}

async function askMayReference(
  { client, reviews }: ObserveDeps,
  requester: Requester,
  ref: SignerRef,
): Promise<boolean> {
  const asked = referenceReviews(ref, requester);
  try {
    return await reviews.find(JSON.stringify(asked), () => isAnyAllowed(client, asked));
  } catch (error) {
    throw asRetryableError(error);
  }
}
