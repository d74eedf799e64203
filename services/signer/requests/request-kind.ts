// What the signer must know of one kind of request (CertificateSigningRequest, say): where it lives, what is kept of it, when it is
// to be signed, what it asks for, and what is written to it. One folder per kind implements it; nothing here knows any of them.

import type { ObjectMeta, Requester } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import type { Issuer } from '@countersign/common/issuer.ts';
import type { IssuerType } from '@countersign/common/issuer-types.ts';
import type { Reason } from '@countersign/common/reasons.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
import type { Result } from '@countersign/common/result.ts';
import type { EventSubject } from '@countersign/common/runtime/controller/event-object.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Chain } from '../authority/chain.ts';
import type { Fail, Wait } from '../verdict.ts';

/** Names a kind in queues, logs and metrics. */
export type RequestKindName = 'csr' | 'pod';

/** What is kept of a request. */
export interface RequestRecord {
  readonly metadata: ObjectMeta;
  /** Open: may still have to be signed. Repair: signed by us, but not complete. */
  readonly state: 'open' | 'repair' | 'done';
  /** When this version of the object, or an earlier one with the same approval, reached the signer; ms since 1970. */
  readonly receivedAt: number;
  /** Of one that has come to its end: when it was approved, if that was in the hour before it was received. */
  readonly endedAfter?: number;
}

/** What is written to a request when it comes to its end: part of a merge patch. */
export interface StatusChange {
  readonly metadata?: object;
  readonly status: object;
}

/** How a request has ended. */
export type End =
  /** `certificate`: PEM, leaf first. */
  | { readonly kind: 'issued'; readonly certificate: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

export type Triage =
  | { readonly kind: 'ignore' }
  /** With the issuer where that may still sign. */
  | { readonly kind: 'wait'; readonly reason: Reason; readonly message: string; readonly ref?: SignerRef }
  /** By what cannot change any more. */
  | Fail
  | { readonly kind: 'look'; readonly ref: SignerRef };

export interface RecordSettings {
  /** Whether certificates of ours are completed with the `ca` annotation; where they are not, there is nothing to repair. */
  readonly writeCaAnnotation: boolean;
}

export interface RequestKind<R extends RequestRecord = RequestRecord> {
  readonly name: RequestKindName;
  /** As the API server and our metrics call the collection. */
  readonly resource: string;
  /** Path of the collection in the API. */
  readonly collection: string;
  /** Whether an API server may not serve the kind, as one of an older release. */
  readonly isOptional: boolean;
  /** The objects whose events report about the request, itself first. */
  subjectsOf(record: R): readonly EventSubject[];
  /** Whether a Normal event reports each certificate. */
  readonly announcesCertificates: boolean;
  /** Path of the object in the API; `name` is `<namespace>/<name>` for a kind whose objects have namespaces. */
  pathOf(name: string): string;
  /** Throws for an object that is too large to be kept. */
  toRecord(raw: unknown, receivedAt: number, settings: RecordSettings): R;
  /** Of an open request; '' where it does not matter any more. */
  signerNameOf(record: R): string;
  /** Milliseconds from when the request could be signed to `now`. */
  millisecondsOpen(record: R, now: number): number;
  /** The checks that need the request alone. */
  triage(record: R): Triage;
  /** Whether the request waits for its issuer, and not for somebody to approve it. */
  waitsForIssuer(record: R): boolean;
  /** Whether a change to the issuer says something new to users who approve requests for it. */
  concernsApprovers(issuer: Issuer): boolean;
  /** What an approver should know before approving a request for this issuer. */
  warningToApprover(
    record: R,
    issuer: Issuer,
    secretNamespace: string,
  ): { readonly reason: Reason; readonly message: string } | undefined;
  requesterOf(record: R): Requester;
  needsPermission(ref: SignerRef, policy: RequestPolicy): boolean;
  /** How long an answer to whether a requester may reference an issuer is shared by requests, in milliseconds; 0: each asks. */
  readonly sharesPermissionMs: number;
  /** Whether issuers of the type can sign requests of this kind. */
  serves(type: IssuerType): boolean;
  /** What becomes of a request for an issuer whose type is not served: left to another signer, or waiting until the type changes. */
  readonly whenNotServed: 'ignore' | 'wait';
  /** What becomes of a request that cannot be signed as things are: refused for good, or waiting for somebody to change them. */
  whenUnfit(record: R, failure: Fail, now: number): Fail | Wait;
  /** The Secret whose key is to sign, where the issuer leaves that to the requester. */
  keySecretName(record: R): string | undefined;
  toRequestedCertificate(
    record: R,
    policy: RequestPolicy,
    facts: { readonly type?: IssuerType | undefined; readonly issuer?: Issuer | undefined },
  ): Result<RequestedCertificate, readonly FieldError[]>;
  /** What the API server begins with when it rejects a certificate that is written to one; what is wrong follows. */
  readonly invalidCertificate: string;
  /** What is written with the certificate. */
  issuedChange(record: R, chain: Chain, settings: RecordSettings, now: Date): StatusChange;
  /** A status with nothing but an issuer's certificates (PEM), for a write on trial; undefined where none could be valid. */
  issuerTrial(pem: string): object | undefined;
  /** What is written when the request is refused for good. */
  failedChange(record: R, failure: Pick<Fail, 'reason' | 'message'>, now: Date): StatusChange;
  /** What still has to be written to an object that has its certificate, as a merge patch; undefined when it is complete. */
  completion(object: R, topPem: string, settings: RecordSettings): object | undefined;
  /** undefined while it has not ended. */
  endOf(object: Pick<R, 'metadata'> & { readonly status?: object }): End | undefined;
  /** Tells one end from another, that of another replica too; for an end that is not there yet, what nothing else gives. */
  digestOf(status: object): string;
}
