// The requested certificate as plain data, for any kind of request: everything in it except issuer, serial number and
// time. Pure; judges nothing.

import type { X509Usages } from './key-usage.ts';
import type { Extension } from './x509/extension.ts';
import type { Signed } from './x509/signature.ts';

export interface RequestedCertificate {
  /** metadata.uid of the request object; the serial number is derived from it. */
  readonly uid: string;
  /** The name of the requester, for the audit log. */
  readonly requester: string;
  /** The DER of the Name, as it was sent. */
  readonly subject: Buffer;
  readonly hasEmptySubject: boolean;
  /** The DER of the SubjectPublicKeyInfo, as it was sent. */
  readonly publicKey: Buffer;
  /** The signature by the private key. Nothing is issued unless it is valid (RFC 2986 section 3). */
  readonly proof: Signed;
  /** The value of the extension, as it was sent. */
  readonly subjectAltName?: Buffer;
  readonly nameConstraints?: Extension;
  readonly usages: X509Usages;
  readonly isCa: boolean;
  /** Milliseconds from the signature to notAfter. */
  readonly lifetimeMs: number;
  /** Replaces the operator's policy on validity; absent for a CSR. */
  readonly validityRules?: ValidityRules;
  /** Whether the names must satisfy the name constraints of the CA, whatever the operator's policy is. */
  readonly honoursNameConstraints?: boolean;
  /** What a remote needs to judge the request itself; absent for requests that only a local CA can sign. */
  readonly sent?: SentRequest;
}

/** The request as its requester sent it. */
export interface SentRequest {
  /** metadata.name of the request object. */
  readonly name: string;
  /** Base64 of the PEM (spec.request). */
  readonly request: string;
  /** spec.usages */
  readonly usages: readonly string[];
  /** metadata.labels of the request object, if there are any. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ValidityRules {
  /** Milliseconds from notBefore to the signature. lifetimeMs still begins at the signature. */
  readonly backdateMs: number;
  /** Whether the certificate expires with the CA that signs it, where it would expire later. */
  readonly clampToCa: boolean;
  /** Milliseconds for which a CA must still be valid to sign the request. */
  readonly minCaLifeMs: number;
}
