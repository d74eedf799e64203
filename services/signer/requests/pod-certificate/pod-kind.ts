// PodCertificateRequests (certificates.k8s.io/v1) as a kind of request. Kubelet gives up for good on a request that is
// denied or failed, so what an administrator can fix makes it wait. Reads and writes nothing itself.

import { hash } from 'node:crypto';
import type { FieldError } from '@countersign/common/field-error.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import {
  findPodCondition,
  type PodCertificateRequestStatus,
  podRequester,
} from '@countersign/common/pods/pod-certificate-request.ts';
import { readPodTerms, type TermDefaults } from '@countersign/common/pods/pod-terms.ts';
import { type Reason, reasons } from '@countersign/common/reasons/reasons.ts';
import { podDenialText } from '@countersign/common/reference-permission.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import { err, type Result } from '@countersign/common/result.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import type { Fail, Wait } from '../../verdict.ts';
import type { RequestKind, StatusChange, Triage } from '../request-kind.ts';
import { POD_CERTIFICATE_PATH } from './pod-protobuf.ts';
import { millisecondsSinceCreation, type PodRecord, podMetadata, podRequestPath, toPodRecord } from './pod-record.ts';
import { type PodCertificatePolicy, toPodRequestedCertificate } from './pod-requested-certificate.ts';
import { deniedStatus, issuedStatus } from './pod-status.ts';
import { refusePodRequest } from './refuse-request.ts';
import { parseStubRequest } from './stub-request.ts';

/** What an operator has set for the certificates of pods. */
export interface PodSettings {
  readonly policy: PodCertificatePolicy;
  readonly defaults: TermDefaults;
}

const API_VERSION = 'certificates.k8s.io/v1';

/** A change to RBAC is not seen, so the API server is asked again: soon at first, then once a minute. */
const ASK_AGAIN_MS = { min: 5_000, max: 60_000 };

/** The answer of the owner of the issuer: a change to the Secret, which is polled, does not change it. */
const SECRET_IS_IRRELEVANT: ReadonlySet<Reason> = new Set(['InvalidIssuerAnnotation', 'NameNotAllowed']);

/** Pods that start together ask the same of the same issuer. */
const SHARED_MS = 1_000;

export function createPodKind(settings: PodSettings): RequestKind<PodRecord> {
  return {
    name: 'pod',
    resource: 'podcertificaterequests',
    collection: POD_CERTIFICATE_PATH,
    isOptional: true,
    subjectsOf,
    logFieldsOf: ({ spec: { podName, nodeName } }) => ({ podName, nodeName }),
    announcesCertificates: false,
    pathOf: podRequestPath,
    toRecord: toPodRecord,
    signerNameOf: ({ spec }) => spec.signerName,
    millisecondsOpen: millisecondsSinceCreation,
    triage,
    waitsForIssuer: () => true,
    concernsApprovers: () => false,
    warningToApprover: () => undefined,
    requesterOf: podRequester,
    needsPermission: () => true,
    sharesPermissionMs: SHARED_MS,
    serves: type => issuerTypes[type].servesPods,
    whenNotServed: 'wait',
    whenUnfit,
    keySecretName: () => undefined,
    askedOf: () => undefined,
    toRequestedCertificate: (record, _, { issuer }) => toRequested(record, issuer, settings),
    invalidCertificate: 'status.certificateChain: Invalid value: ',
    issuedChange: (record, { chainPem }, _, now) => issuedChange(record, chainPem, now),
    issuerTrial: () => undefined,
    failedChange: (_, failure, now) => ({ status: deniedStatus(failure, now) }),
    completion: () => undefined,
    recordedTop: () => undefined,
    endOf,
    digestOf,
  };
}

/** The pod is where its owner looks; of a request that is done, no more is known than its own name. */
function subjectsOf(record: PodRecord): ReturnType<RequestKind<PodRecord>['subjectsOf']> {
  const own = { apiVersion: API_VERSION, kind: 'PodCertificateRequest', metadata: record.metadata };
  return record.spec.podUID === '' ? [own] : [own, { apiVersion: 'v1', kind: 'Pod', metadata: podMetadata(record) }];
}

function triage(record: PodRecord): Triage {
  const signer = parseSignerName(record.spec.signerName);
  if (!signer.ok && signer.error.kind === 'foreign') return { kind: 'ignore' };
  const denial = refusePodRequest(record, parseStubRequest(record.spec.stubPKCS10Request));
  if (denial?.kind === 'deny') return { ...denial, kind: 'fail' };
  if (denial !== undefined) return { ...denial, kind: 'wait', ...(signer.ok && { ref: signer.value }) };
  return signer.ok ? { kind: 'proceed', ref: signer.value } : { kind: 'ignore' };
}

function whenUnfit(record: PodRecord, { reason, message, secret }: Fail, now: number): Wait {
  // The same certificate would be rejected again at once: a clock or a CA has to change first.
  const openMs = reason === 'SigningError' ? Number.POSITIVE_INFINITY : millisecondsSinceCreation(record, now);
  const requeueAfterMs = Math.min(Math.max(openMs / 2, ASK_AGAIN_MS.min), ASK_AGAIN_MS.max);
  const text = reason === 'DeniedReference' ? denialOf(record) : withoutValues(message);
  const mayHelp = secret !== undefined && !SECRET_IS_IRRELEVANT.has(reason);
  return { kind: 'wait', reason, message: text, requeueAfterMs, ...(mayHelp && { secret }) };
}

/**
 * The API server repeats the rejected value before it says why: a time or a whole chain, another one at each attempt.
 * With it, each attempt would have an event of its own, without the cause.
 */
function withoutValues(message: string): string {
  return message.replace(/: Invalid value: (?:"(?:[^"\\]|\\.)*"|[^:]*)(?=: )/g, '');
}

/** cert-manager's text speaks of a requester; who reads an event of a pod knows the pod alone. */
function denialOf(record: PodRecord): string {
  return podDenialText(refOf(record), record.metadata.namespace ?? '', record.spec.serviceAccountName);
}

function toRequested(
  record: PodRecord,
  issuer: Issuer | undefined,
  { policy, defaults }: PodSettings,
): Result<RequestedCertificate, readonly FieldError[]> {
  const terms = readPodTerms(issuer?.metadata.annotations, defaults);
  const field = 'spec.unverifiedUserAnnotations';
  if (!terms.ok) {
    const message = reasons.InvalidIssuerAnnotation.message(refOf(record), terms.error);
    return err([{ reason: 'InvalidIssuerAnnotation', field, message }]);
  }
  const requested = toPodRequestedCertificate(record, terms.value, policy);
  return requested.ok ? requested : err([{ ...requested.error, field }]);
}

/** Of a request that was triaged. */
function refOf({ spec }: PodRecord): SignerRef {
  const signer = parseSignerName(spec.signerName);
  if (!signer.ok) throw new TypeError(`${spec.signerName} names no issuer`);
  return signer.value;
}

function issuedChange({ metadata, spec }: PodRecord, chainPem: string, now: Date): StatusChange {
  const text = { reason: 'CertificateIssued', message: `Issued by ${spec.signerName}` };
  return { status: issuedStatus(chainPem, metadata.uid ?? '', text, now) };
}

function endOf(object: { readonly status?: object }): ReturnType<RequestKind<PodRecord>['endOf']> {
  const status: PodCertificateRequestStatus | undefined = object.status;
  if (status?.certificateChain) return { kind: 'issued', certificate: status.certificateChain };
  const refusal = status && (findPodCondition({ status }, 'Denied') ?? findPodCondition({ status }, 'Failed'));
  return refusal && { kind: 'failed', reason: refusal.reason ?? '', message: refusal.message ?? '' };
}

function digestOf(status: object): string {
  const { certificateChain, conditions = [] } = status as PodCertificateRequestStatus;
  const { reason, message, lastTransitionTime } = conditions[0] ?? {};
  return hash('sha256', certificateChain ?? [reason, message, lastTransitionTime].join('\0'));
}
