// Has cert-manager issue a certificate: creates one CertificateRequest for each request, or finds the one created
// before, and answers with what became of it. Uses none that Countersign did not create as it is.

import { reasons } from '@countersign/common/reasons/reasons.ts';
import { asRetryableError, RetryableError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { FIELD_MANAGER } from '../../field-manager.ts';
import type { Fail, Wait } from '../../verdict.ts';
import type { RemoteAnswer, RemoteWarning } from '../issuer-type.ts';
import { answerOfStatus } from './answer-of-status.ts';
import { approve } from './approval.ts';
import {
  type Asked,
  type CertificateRequest,
  collectionPath,
  placeOf,
  toCertificateRequest,
} from './certificate-request.ts';
import type { CertificateRequestWatch } from './certificate-request-watch.ts';
import { explainFailure, notCreated } from './creation-failure.ts';
import type { DelegatedType } from './delegated-type.ts';
import { findDifference } from './find-difference.ts';

export interface DelegationDeps {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'mergePatch'>;
  readonly watch: Pick<CertificateRequestWatch, 'has' | 'isServed' | 'noteServed'>;
  /** The user that this process is. */
  readonly username: () => Promise<string>;
  /** The namespace of the CertificateRequests of ClusterIssuers. */
  readonly clusterResourceNamespace: string;
  readonly now: () => Date;
  /** Whether to approve what Countersign created, instead of leaving that to the approver of the cluster. */
  readonly approves: boolean;
}

/** Names that may be taken by others before the request waits. */
const MAX_ATTEMPTS = 5;
const NOT_SERVED_MS = 15_000;

interface Found {
  readonly kind: 'found';
  readonly object: CertificateRequest;
  readonly isNew: boolean;
}

/** Throws RetryableError for what may pass by itself. */
export async function delegate(
  deps: DelegationDeps,
  type: DelegatedType,
  asked: Asked,
  signal: AbortSignal,
): Promise<RemoteAnswer> {
  const username = await retryable(deps.username());
  const warnings: RemoteWarning[] = [];
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const wanted = toCertificateRequest(asked, deps.clusterResourceNamespace, attempt);
    const found = await findOrCreate(deps, wanted, signal);
    if (found.kind !== 'found') return { ...found, warnings };
    const difference = findDifference(found.object, wanted, username);
    if (difference === undefined) {
      const approved = deps.approves ? await approve(deps.client, found.object, deps.now()) : found;
      if (approved.kind === 'wait') return { ...approved, warnings };
      return { ...answerOfStatus(approved.object, { type, ref: asked.ref, now: deps.now() }), warnings };
    }
    if (found.isNew) return notRecorded(wanted, difference);
    warnings.push(forged(wanted, difference));
  }
  return takenByOthers(warnings);
}

function forged(wanted: CertificateRequest, difference: string): RemoteWarning {
  const message = reasons.CertificateRequestForged.message(placeOf(wanted), `${difference} differs`);
  return { reason: 'CertificateRequestForged', message };
}

function takenByOthers(warnings: readonly RemoteWarning[]): RemoteAnswer {
  const last = warnings.at(-1);
  if (last === undefined) throw new TypeError('no attempt was made');
  return { kind: 'wait', ...last, requeueAfterMs: NOT_SERVED_MS, warnings };
}

/** Without cert-manager's webhook, nobody knows who created an object: another attempt would not help. */
function notRecorded(wanted: CertificateRequest, difference: string): Wait {
  const problem = `${difference} is not stored as it was sent: check that the webhook of cert-manager is registered`;
  return notCreated(wanted, problem);
}

/** The cache only saves a call: the object itself is always read. */
async function findOrCreate(
  deps: DelegationDeps,
  wanted: CertificateRequest,
  signal: AbortSignal,
): Promise<Found | Wait | Fail> {
  const known = deps.watch.has(placeOf(wanted)) ? await read(deps, wanted, signal) : undefined;
  return known ?? create(deps, wanted, signal);
}

async function read(
  { client }: DelegationDeps,
  { metadata: { namespace = '', name } }: CertificateRequest,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const path = `${collectionPath(namespace)}/${name}`;
  const object = await retryable(client.get<CertificateRequest>(path, signal));
  return object && { kind: 'found', object, isNew: false };
}

async function create(
  deps: DelegationDeps,
  wanted: CertificateRequest,
  signal: AbortSignal,
): Promise<Found | Wait | Fail> {
  const path = `${collectionPath(wanted.metadata.namespace ?? '')}?fieldManager=${FIELD_MANAGER}`;
  try {
    const object = await deps.client.create<CertificateRequest>(path, wanted);
    deps.watch.noteServed();
    return { kind: 'found', object, isNew: true };
  } catch (error) {
    if (!isCode(error, 'already-exists')) return explain(deps, wanted, error, signal);
    return (await read(deps, wanted, signal)) ?? notCreated(wanted, 'it was deleted meanwhile', 0);
  }
}

function isCode(error: unknown, code: TerminalError['code']): boolean {
  return error instanceof TerminalError && error.code === code;
}

const NOT_SERVED: Wait = {
  kind: 'wait',
  reason: 'CertificateRequestNotServed',
  message: reasons.CertificateRequestNotServed.message(),
  requeueAfterMs: NOT_SERVED_MS,
};

/** An API server without the resource answers with a page that is not a Status, as a broken proxy does. */
async function explain(
  { watch }: DelegationDeps,
  wanted: CertificateRequest,
  error: unknown,
  signal: AbortSignal,
): Promise<Wait | Fail> {
  const isMissing = isCode(error, 'not-found');
  const mayBeMissing = isMissing || (error instanceof RetryableError && error.code === 'server');
  if (mayBeMissing && !(await retryable(watch.isServed(signal)))) return NOT_SERVED;
  if (isMissing) return notCreated(wanted, `namespace ${wanted.metadata.namespace} does not exist`);
  return explainFailure(wanted, error);
}

/** A 404 must not be taken for the absence of the request itself. */
async function retryable<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw asRetryableError(error);
  }
}
