// The interface of a request kind (such as CertificateSigningRequest): its API path, what is cached of it, when to sign
// it, what it requests, and what is written to it. Implemented by one folder per kind; independent of all of them.

import type { Asked } from '@countersign/common/approval/request/judged-request.ts';
import type { ObjectMeta, Requester } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import type { Reason } from '@countersign/common/reasons/reasons.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import type { Result } from '@countersign/common/result.ts';
import type { EventSubject } from '@countersign/common/runtime/controller/event-object.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Chain } from '../authority/chain.ts';
import type { Fail, Wait } from '../verdict.ts';

/** The name of a kind in queues, logs and metrics. */
export type RequestKindName = 'csr' | 'pod';

/** What is cached of a request. */
export interface RequestRecord {
  readonly metadata: ObjectMeta;
  /** `open`: may still have to be signed. `repair`: incomplete, and its certificate may be ours. */
  readonly state: 'open' | 'repair' | 'done';
  /** When this version of the object, or an earlier one with the same approval, was received; ms since 1970. */
  readonly receivedAt: number;
  /** For a request that has ended: when it was approved, if within the hour before it was received. */
  readonly endedAfter?: number;
}

/** The changes written to a request when it ends: part of a merge patch. */
export interface StatusChange {
  readonly metadata?: object;
  readonly status: object;
}

/** How a request ended. */
export type End =
  /** `certificate`: PEM, leaf first. */
  | { readonly kind: 'issued'; readonly certificate: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

export type Triage =
  | { readonly kind: 'ignore' }
  /** `ref` is set if the issuer may still sign. */
  | (Wait & { readonly ref?: SignerRef })
  /** Because of what cannot change any more. */
  | Fail
  | { readonly kind: 'proceed'; readonly ref: SignerRef };

export interface RecordSettings {
  /** Whether to add the `ca` annotation to our certificates; if not, there is nothing to repair. */
  readonly writeCaAnnotation: boolean;
  readonly policy: Pick<RequestPolicy, 'delegates' | 'externalIssuers'>;
}

export interface RequestKind<R extends RequestRecord = RequestRecord> {
  readonly name: RequestKindName;
  /** The collection's name in the API and in our metrics. */
  readonly resource: string;
  /** Path of the collection in the API. */
  readonly collection: string;
  /** Whether older API servers do not serve the kind. */
  readonly isOptional: boolean;
  /** The objects on which events about the request are recorded, the request first. */
  subjectsOf(record: R): readonly EventSubject[];
  /** Further fields of its log lines, the audit lines included. */
  logFieldsOf(record: R): Readonly<Record<string, string>>;
  /** Whether to record a Normal event for each certificate. */
  readonly announcesCertificates: boolean;
  /** Path of the object in the API; `name` is `<namespace>/<name>` for a kind whose objects have namespaces. */
  pathOf(name: string): string;
  /** Throws for an object that is too large to cache. */
  toRecord(raw: unknown, receivedAt: number, settings: RecordSettings): R;
  /** The signer name of an open request; '' if it no longer matters. */
  signerNameOf(record: R): string;
  /** Milliseconds from when the request could first be signed to `now`. */
  millisecondsOpen(record: R, now: number): number;
  /** The checks that need only the request. */
  triage(record: R, policy: RequestPolicy): Triage;
  /** Whether the request waits for its issuer rather than for approval. */
  waitsForIssuer(record: R): boolean;
  /** Whether a change to the issuer matters to users who approve requests for it. */
  concernsApprovers(issuer: Issuer): boolean;
  /** What an approver should know before approving a request for this issuer. */
  warningToApprover(
    record: R,
    issuer: Issuer,
    secretNamespace: string,
  ): { readonly reason: Reason; readonly message: string } | undefined;
  requesterOf(record: R): Requester;
  /** What else approval policies judge; undefined for a kind that is not approved. */
  askedOf(record: R): Asked | undefined;
  needsPermission(ref: SignerRef, policy: RequestPolicy): boolean;
  /** How long requests share the answer of an access review, in milliseconds; 0 means not at all. */
  readonly sharesPermissionMs: number;
  /** Whether issuers of the type can sign requests of this kind. */
  serves(type: IssuerType): boolean;
  /** For an issuer whose type is not supported: leave the request to another signer, or wait until the type changes. */
  readonly whenNotServed: 'ignore' | 'wait';
  /** For a request that cannot be signed as things are: refuse it permanently, or wait until the cause is fixed. */
  whenUnfit(record: R, failure: Fail, now: number): Fail | Wait;
  /** The Secret with the signing key, if the issuer lets the requester choose it. */
  keySecretName(record: R): string | undefined;
  toRequestedCertificate(
    record: R,
    policy: RequestPolicy,
    facts: { readonly type?: IssuerType | undefined; readonly issuer?: Issuer | undefined },
  ): Result<RequestedCertificate, readonly FieldError[]>;
  /** The prefix of the API server's error for an invalid certificate; the details follow. */
  readonly invalidCertificate: string;
  /** The changes written with the certificate. */
  issuedChange(record: R, chain: Chain, settings: RecordSettings, now: Date): StatusChange;
  /**
   * A status with only an issuer's certificates (PEM), for a dry run; undefined if the API server would always
   * reject it.
   */
  issuerTrial(pem: string): object | undefined;
  /** The changes written when the request is refused permanently. */
  failedChange(record: R, failure: Pick<Fail, 'reason' | 'message'>, now: Date): StatusChange;
  /** A merge patch with what is missing from an object that has its certificate; undefined if it is complete. */
  completion(object: R, topPem: string, settings: RecordSettings): object | undefined;
  /** PEM of the CA that was recorded on the object with its certificate; undefined if there is none. */
  recordedTop(object: R): string | undefined;
  /** undefined until it has ended. */
  endOf(object: Pick<R, 'metadata'> & { readonly status?: object }): End | undefined;
  /** Identifies an end, including one from another replica; the digest of a status without an end matches no other. */
  digestOf(status: object): string;
}
