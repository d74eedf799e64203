// The interface of an issuer type: how to load its signing material and then, without further reads, how to decide a
// request and whether the issuer is ready. Implemented by one file per type; independent of all of them.

import type { Condition } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import { type Issuer, issuerType } from '@countersign/common/issuers/issuer.ts';
import type { IssuerType } from '@countersign/common/issuers/issuer-types.ts';
import type { Reason } from '@countersign/common/reasons/reasons.ts';
import type { RequestedCertificate, SentRequest } from '@countersign/common/requested-certificate.ts';
import type { Result } from '@countersign/common/result.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import type { IssuerChain } from '../authority/chain.ts';
import type { SigningKey } from '../authority/signing-key.ts';
import type { IssuancePolicy } from '../issuance/issuance-policy.ts';
import type { LintedCertificate } from '../issuance/lint.ts';
import type { ObservedSecret } from '../secret.ts';
import type { CaAnchors } from '../trust-bundles/anchors.ts';
import type { Fail, Wait } from '../verdict.ts';
import type { StoredCertificate } from './stored-certificate.ts';

/** A request and its issuer, which exists and is of a supported type. */
export interface IssuanceRequest {
  readonly requested: Result<RequestedCertificate, readonly FieldError[]>;
  readonly ref: SignerRef;
  readonly issuer: Issuer;
  readonly policy: IssuancePolicy;
}

export type Issuance = LocalIssuance | RemoteIssuance;

/** A linted certificate that only needs its signature. */
export interface LocalIssuance {
  readonly kind: 'local';
  readonly certificate: LintedCertificate;
  readonly key: SigningKey;
  /** The signing CA; undefined for a self-signed certificate. */
  readonly authority: Authority | undefined;
  /** The Secret to wait for if the key or chain turns out to be bad when used. */
  readonly secret: ObservedSecret;
}

export interface Authority {
  /** PEM of the signing certificate and all certificates above it. */
  readonly pem: string;
  readonly chain: IssuerChain;
  /** Whether to append the root to status.certificate, if known. */
  readonly rootInChain: boolean;
}

/** A certificate issued by a remote: a server that holds the key, or another controller. */
export interface RemoteIssuance {
  readonly kind: 'remote';
  /** What the certificate is compared with. */
  readonly requested: RequestedCertificate;
  /**
   * Requests the certificate. Throws RetryableError if the remote does not answer, or may answer differently next time.
   */
  submit(signal: AbortSignal): Promise<RemoteAnswer>;
}

/** A certificate, or why there is none yet or at all; and what someone should know either way. */
export type RemoteAnswer = (
  | {
      readonly kind: 'issued';
      /** PEM, leaf first. */
      readonly chainPem: string;
      /** PEM of the top CA, if the remote returns it. */
      readonly topPem?: string;
    }
  | Wait
  | Fail
) & { readonly warnings?: readonly RemoteWarning[] };

/** Recorded as an event of the request. */
export interface RemoteWarning {
  readonly reason: Reason;
  readonly message: string;
}

/** Whether a remote can judge the request itself. */
export function hasSent(
  requested: RequestedCertificate,
): requested is RequestedCertificate & { readonly sent: SentRequest } {
  return requested.sent !== undefined;
}

export type IssuerDecision = Wait | Fail | { readonly kind: 'issue'; readonly issuance: Issuance };

export interface ReadinessEvent {
  readonly reason: string;
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
}

/** The Ready condition that an issuer should have, and the events for a change to it. */
export interface Readiness {
  readonly condition: Pick<Condition, 'status' | 'reason' | 'message'>;
  readonly events: readonly ReadinessEvent[];
  /** Problems of an issuer that can still sign: recorded once, whether or not the condition changes. */
  readonly warnings?: readonly ReadinessEvent[];
  /** Requeues the issuer when this Secret changes. */
  readonly secret?: ObservedSecret;
  /** Checks the issuer again after this many milliseconds. */
  readonly recheckAfterMs?: number;
  /** When the issuer's CA certificate expires, if it has one. */
  readonly ends?: Date;
  /** The CAs in its chain that have name constraints, if the issuer can sign. */
  readonly constrained?: readonly ConstrainedCa[];
}

export type ReadinessAnswer = Readiness | 'kept-elsewhere';

/** An issuer of this type; `material` is undefined if it has no signing Secret. */
export interface MaterialOf<Material> {
  readonly ref: SignerRef;
  readonly issuer: Issuer;
  readonly material: Material | undefined;
}

/**
 * `Material` is the parsed content of one version of a Secret, with keys as opaque handles that only this type can use.
 */
export interface IssuerTypeHandler<Material = unknown> {
  readonly type: IssuerType;
  /** Parses a Secret, once per version. */
  load(secret: ObservedSecret): Promise<Material>;
  /** Pure. `material` is undefined if there is no signing Secret; `now` is the time of signing. */
  decide(request: IssuanceRequest, material: Material | undefined, now: Date): IssuerDecision;
  /**
   * Pure. Returns the PEM for the `ca` annotation of a certificate found on a request; undefined unless it is ours, as
   * far as that can be known: signed with `material` for the key of the request, or recorded with the certificate.
   */
  topOf(material: Material | undefined, stored: StoredCertificate): string | undefined;
  /**
   * May ask the server that signs. Throws RetryableError if nothing can be said yet. `kept-elsewhere`: another
   * controller writes the condition.
   */
  readiness(known: MaterialOf<Material>): ReadinessAnswer | Promise<ReadinessAnswer>;
  /**
   * Returns the trust anchors for certificates signed with `material`; undefined while it cannot be used. Absent for
   * types without a CA of their own.
   */
  anchors?(material: Material | undefined): Promise<CaAnchors | undefined>;
  /**
   * Records that the API server rejects the certificates in the Secret: nothing is signed with them until they change.
   */
  reject(secret: ObservedSecret, problem: string): void;
}

/** Returns the handler for the issuer's type; undefined for a missing issuer or an unsupported type. */
export function findHandler(
  handlers: readonly IssuerTypeHandler[],
  issuer: Issuer | undefined,
): IssuerTypeHandler | undefined {
  return handlers.find(({ type }) => issuer !== undefined && type === issuerType(issuer));
}
