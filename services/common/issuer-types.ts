// The types of issuers, one row each: what is kept of its spec, which Secret it signs with, its own rules on requests, its
// reasons, and who signs. Whatever differs between types and needs no I/O is said here, and nowhere by the name of a type.

import type { FieldError } from './field-error.ts';
import { type Reason, reasons } from './reasons.ts';
import { type AskedOfSelfSigned, selfSignedErrors } from './self-signed-rules.ts';

/** cert-manager's CAIssuer. */
export interface CaIssuerSpec {
  readonly secretName: string;
  readonly crlDistributionPoints?: readonly string[];
  readonly ocspServers?: readonly string[];
  readonly issuingCertificateURLs?: readonly string[];
}

/** cert-manager's SelfSignedIssuer. */
export interface SelfSignedIssuerSpec {
  readonly crlDistributionPoints?: readonly string[];
}

/** cert-manager's IssuerConfig: one of these. */
export interface IssuerSpec {
  readonly acme?: object;
  readonly ca?: CaIssuerSpec;
  readonly vault?: object;
  readonly selfSigned?: SelfSignedIssuerSpec;
  readonly venafi?: object;
}

export type IssuerType = keyof IssuerSpec;

/** Which Secret an issuer signs with. */
export interface SigningSecret {
  readonly name: string;
  /** One that the requester names may be anybody's. */
  readonly namedBy: 'issuer' | 'requester';
  /** Whether the end of the certificate in it is the end of what is signed with it. */
  readonly holdsCa: boolean;
}

/** Reasons that differ between types for the same thing. */
export interface IssuerReasons {
  /** No certificate can be made from the request. */
  readonly badRequest: Reason;
  /** The API server does not say what is in the Secret that the issuer signs with. */
  readonly secretUnread: 'SecretGetError' | 'ErrorGettingSecret';
  /** What is in that Secret cannot sign; the request waits until it changes. */
  readonly unusable: 'SecretInvalidData' | 'ErrorParsingKey';
  readonly signingFailed: Reason;
  readonly updateFailed: Reason;
  /** The message of CertificateIssued. */
  readonly issuedMessage: string;
}

interface IssuerTypeRow<Spec> {
  /** Whether Countersign signs for issuers of the type, or leaves them to others. */
  readonly signedHere: boolean;
  /** As much of the spec as is read here. */
  prune(spec: Spec): Spec;
  /** `keySecretName` is the Secret that the request names, if any. */
  secretOf(spec: Spec, keySecretName: string | undefined): SigningSecret | undefined;
  /** Whether the certificate is its own issuer. */
  readonly signsItself: boolean;
  /** What is wrong with a request for an issuer of this type alone. */
  findErrors(asked: AskedOfSelfSigned): readonly FieldError[];
  readonly reasons: IssuerReasons;
}

const CA_REASONS: IssuerReasons = {
  badRequest: 'SigningError',
  secretUnread: 'SecretGetError',
  unusable: 'SecretInvalidData',
  signingFailed: 'SigningError',
  updateFailed: 'SigningError',
  issuedMessage: reasons.CertificateIssued.message(),
};

/** Of the types that are left to others, no more is kept than that they are there. */
const LEFT_TO_OTHERS: IssuerTypeRow<object> = {
  signedHere: false,
  prune: () => ({}),
  secretOf: () => undefined,
  signsItself: false,
  findErrors: () => [],
  reasons: CA_REASONS,
};

/** In the order in which cert-manager looks (pkg/api/util NameForIssuer), which decides if a spec has two types. */
export const issuerTypes = {
  acme: LEFT_TO_OTHERS,
  ca: {
    signedHere: true,
    prune: spec => pick(spec, 'secretName', 'crlDistributionPoints', 'ocspServers', 'issuingCertificateURLs'),
    secretOf: ({ secretName }) => ({ name: secretName ?? '', namedBy: 'issuer', holdsCa: true }),
    signsItself: false,
    findErrors: () => [],
    reasons: CA_REASONS,
  },
  vault: LEFT_TO_OTHERS,
  selfSigned: {
    signedHere: true,
    prune: spec => pick(spec, 'crlDistributionPoints'),
    secretOf: (_, name) => (name === undefined ? undefined : { name, namedBy: 'requester', holdsCa: false }),
    signsItself: true,
    findErrors: selfSignedErrors,
    reasons: {
      badRequest: 'ErrorGenerating',
      secretUnread: 'ErrorGettingSecret',
      unusable: 'ErrorParsingKey',
      signingFailed: 'ErrorSigning',
      updateFailed: 'ErrorUpdate',
      issuedMessage: reasons.CertificateIssued.selfSigned(),
    },
  },
  venafi: LEFT_TO_OTHERS,
} satisfies { readonly [Type in IssuerType]-?: IssuerTypeRow<NonNullable<IssuerSpec[Type]>> };

/** The types of which Countersign signs, as they are called in a spec. */
export const TYPES_SIGNED_HERE = (Object.keys(issuerTypes) as IssuerType[]).filter(
  type => issuerTypes[type].signedHere,
);

/** The type of an issuer with this spec; undefined if it names none. */
export function typeOfSpec(spec: IssuerSpec | undefined): IssuerType | undefined {
  // Go reads null as absent; the spec itself may be missing where the CRD is older than its schema.
  return (Object.keys(issuerTypes) as IssuerType[]).find(type => spec?.[type] != null);
}

/** As much of the spec as is read here: all of its types, each pruned by its row. */
export function pruneSpec(spec: IssuerSpec | undefined): IssuerSpec {
  const rows = Object.entries(issuerTypes) as [IssuerType, IssuerTypeRow<object>][];
  return Object.fromEntries(
    rows.flatMap(([type, row]) => {
      const part = spec?.[type];
      return part == null ? [] : [[type, row.prune(part)]];
    }),
  );
}

/** The Secret that an issuer with this spec signs with, for a request that names `keySecretName`; undefined if there is none. */
export function signingSecret(spec: IssuerSpec, keySecretName: string | undefined): SigningSecret | undefined {
  const type = typeOfSpec(spec);
  const part = type && spec[type];
  if (part === undefined) return undefined;
  const row: IssuerTypeRow<object> = issuerTypes[type as IssuerType];
  return row.secretOf(part, keySecretName);
}

function pick<T extends object>(source: T, ...names: readonly (keyof T)[]): T {
  return Object.fromEntries(names.filter(name => source[name] !== undefined).map(name => [name, source[name]])) as T;
}
