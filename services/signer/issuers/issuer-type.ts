// What the signer must know of a type of issuer: how to load what it signs with, and then, without further reads, what becomes of
// a request and whether the issuer is ready. One file per type implements it; nothing here knows any of them.

import type { Condition } from '@countersign/common/csr.ts';
import type { FieldError } from '@countersign/common/field-error.ts';
import { type Issuer, issuerType } from '@countersign/common/issuer.ts';
import type { IssuerType } from '@countersign/common/issuer-types.ts';
import type { RequestedCertificate } from '@countersign/common/requested-certificate.ts';
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

/** One request and the issuer that it names, which exists and is of a type that is signed with here. */
export interface IssuanceRequest {
  readonly requested: Result<RequestedCertificate, readonly FieldError[]>;
  readonly ref: SignerRef;
  readonly issuer: Issuer;
  readonly policy: IssuancePolicy;
}

export type Issuance = LocalIssuance | RemoteIssuance;

/** A certificate that is decided and linted, and needs only the signature. */
export interface LocalIssuance {
  readonly kind: 'local';
  readonly certificate: LintedCertificate;
  readonly key: SigningKey;
  /** Of the CA that signs; undefined where the certificate is its own issuer. */
  readonly authority: Authority | undefined;
  /** What the request waits for when the key or the chain proves bad only once it is used. */
  readonly secret: ObservedSecret;
}

export interface Authority {
  /** PEM of all certificates that the new one inherits from, or comes with: the one that signs and all above it. */
  readonly pem: string;
  readonly chain: IssuerChain;
  /** Whether status.certificate ends with the root, where it is known. */
  readonly rootInChain: boolean;
}

/** A certificate that somebody else issues: a server that holds the key, or another controller. */
export interface RemoteIssuance {
  readonly kind: 'remote';
  /** What the certificate is held to. */
  readonly requested: RequestedCertificate;
  /** Asks for the certificate. Throws RetryableError when the remote does not answer, or may answer otherwise the next time. */
  submit(signal: AbortSignal): Promise<RemoteAnswer>;
}

/** A certificate, or why there is none yet, or none at all. */
export type RemoteAnswer =
  | {
      readonly kind: 'issued';
      /** PEM, leaf first. */
      readonly chainPem: string;
      /** PEM of the CA at the top, where the remote gives one. */
      readonly topPem?: string;
    }
  | Wait
  | Fail;

export type IssuerDecision = Wait | Fail | { readonly kind: 'issue'; readonly issuance: Issuance };

export interface ReadinessEvent {
  readonly reason: string;
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
}

/** The Ready condition that an issuer deserves, and the events that go with a change to it. */
export interface Readiness {
  readonly condition: Pick<Condition, 'status' | 'reason' | 'message'>;
  readonly events: readonly ReadinessEvent[];
  /** What is wrong although the issuer can sign: recorded once, whether or not the condition changes. */
  readonly warnings?: readonly ReadinessEvent[];
  /** Looked at again when this Secret changes. */
  readonly secret?: ObservedSecret;
  /** When the certificate that the issuer signs with ends, if it has one. */
  readonly ends?: Date;
  /** The CAs of its chain that have name constraints, if the issuer can sign. */
  readonly constrained?: readonly ConstrainedCa[];
}

/** `Material` is what one version of a Secret holds, parsed: key material as an opaque handle that only its type can use. */
export interface IssuerTypeHandler<Material = unknown> {
  readonly type: IssuerType;
  /** Parses a Secret, once for each version of it. */
  load(secret: ObservedSecret): Promise<Material>;
  /** Pure. `material` is undefined where there is no Secret to sign with; `now` is when the certificate is signed. */
  decide(request: IssuanceRequest, material: Material | undefined, now: Date): IssuerDecision;
  /** Pure: the PEM that the `ca` annotation has for a chain (PEM, leaf first) signed with `material`; undefined for another's. */
  topOf(material: Material | undefined, chainPem: string): string | undefined;
  /** Pure. */
  readiness(material: Material | undefined): Readiness;
  /**
   * The certificates by which what is signed with `material` is verified; undefined while it cannot be used. A type without a CA of
   * its own has none.
   */
  anchors?(material: Material | undefined): Promise<CaAnchors | undefined>;
  /** Remembers that the API server rejects the certificates in the Secret: nothing is signed with them until they change. */
  reject(secret: ObservedSecret, problem: string): void;
}

/** The handler of the issuer's type; undefined for an issuer that is not there, or that is left to other signers. */
export function findHandler(
  handlers: readonly IssuerTypeHandler[],
  issuer: Issuer | undefined,
): IssuerTypeHandler | undefined {
  return handlers.find(({ type }) => issuer !== undefined && type === issuerType(issuer));
}
