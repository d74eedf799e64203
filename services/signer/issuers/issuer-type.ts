// What a type of issuer must be able to do for the signer: read what it signs with, then decide on a request and on the
// issuer's own readiness without further reads. One file per type implements it; nothing here knows any of them.

import type { ConstrainedCa } from '@countersign/common/constraint-subtrees.ts';
import type { CertificateSigningRequest, Condition } from '@countersign/common/csr.ts';
import { type Issuer, type IssuerType, issuerType } from '@countersign/common/issuer.ts';
import type { Reason } from '@countersign/common/reasons.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Chain } from '../issuance/chain.ts';
import type { IssuancePolicy } from '../issuance/issuance-policy.ts';
import type { LintedCertificate } from '../issuance/lint.ts';
import type { SigningKey } from '../issuance/signing-key.ts';
import type { Secret, SecretRef } from '../secret-reader.ts';

/** A Secret as an issuer found it: its reference, and its content unless it is absent. */
export interface ObservedSecret {
  readonly ref: SecretRef;
  readonly secret: Secret | undefined;
}

export interface IssuerDeps {
  readonly readSecret: (ref: SecretRef) => Promise<Secret | undefined>;
  /** Where the Secrets of ClusterIssuers are. */
  readonly clusterResourceNamespace: string;
}

/** One CSR and the issuer that it names, which exists and is of a type that is signed with here. */
export interface IssuanceRequest {
  readonly csr: CertificateSigningRequest;
  readonly ref: SignerRef;
  readonly issuer: Issuer;
  readonly policy: IssuancePolicy;
}

/** A certificate that is decided and linted, and needs only the signature. */
export interface Issuance {
  readonly certificate: LintedCertificate;
  readonly key: SigningKey;
  /** Puts the signed certificate (PEM) into its chain. */
  readonly complete: (certificatePem: string) => Chain;
  /** What the request waits for when the key or the chain proves bad only once it is used. */
  readonly unusable: (problem: string) => SecretWait;
  /** Absent where the certificate is its own issuer. */
  readonly authority?: {
    /** The certificates that the new one inherits from, or comes with: the one that signs and all above it. */
    readonly pem: string;
    /** For an API server that takes none of them; gives what the request waits for. */
    readonly reject: (problem: string) => SecretWait;
  };
}

export interface SecretWait {
  readonly kind: 'wait';
  readonly reason: Reason;
  readonly message: string;
  readonly secret: ObservedSecret;
}

export type IssuerDecision =
  | SecretWait
  | { readonly kind: 'fail'; readonly reason: Reason; readonly message: string }
  | { readonly kind: 'issue'; readonly issuance: Issuance };

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

/** Words that differ between issuer types for the same thing (reasons.ts has the texts). */
export interface IssuerReasons {
  readonly issuedMessage: string;
  readonly signingFailed: Reason;
  readonly updateFailed: Reason;
}

/** What was read to sign with, key material included, as an opaque thing that can only decide. */
export interface ObservedIssuer {
  /** Pure: the same answer for the same `now`, which is when the certificate starts to be valid. */
  decide(now: Date): IssuerDecision;
  /** The PEM that the `ca` annotation tells for a chain (PEM, leaf first) that this issuer signed; undefined for another's. */
  topOf(chainPem: string): string | undefined;
}

export interface IssuerTypeHandler {
  readonly type: IssuerType;
  readonly reasons: IssuerReasons;
  /** Reads what is needed to decide on a request. Throws RetryableError when the world does not answer. */
  observe(deps: IssuerDeps, request: IssuanceRequest): Promise<ObservedIssuer>;
  /** Reads what the issuer signs with and tells whether it can. Throws RetryableError when the world does not answer. */
  readiness(deps: IssuerDeps, ref: SignerRef, issuer: Issuer): Promise<Readiness>;
}

/** The handler of the issuer's type; undefined for an issuer that is not there, or that is left to other signers. */
export function findHandler(
  handlers: readonly IssuerTypeHandler[],
  issuer: Issuer | undefined,
): IssuerTypeHandler | undefined {
  return handlers.find(({ type }) => issuer !== undefined && type === issuerType(issuer));
}
