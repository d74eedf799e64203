// The issuer types, one row each: the fields of the spec that are kept, the Secret it signs with, its rules for
// requests, its reasons, and whether Countersign signs. Every difference between types that needs no I/O is data here.

import type { FieldError } from '../field-error.ts';
import { type Reason, reasons } from '../reasons/reasons.ts';
import { acmeErrors, type DelegatedRequest, venafiErrors } from './delegated-errors.ts';
import { type SelfSignedRequest, selfSignedErrors } from './self-signed-rules.ts';
import { pruneVault, type VaultIssuerSpec } from './vault-spec.ts';

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

/** cert-manager's IssuerConfig: one of these; `external` is our own, for what describeExternal returns. */
export interface IssuerSpec {
  readonly acme?: object;
  readonly ca?: CaIssuerSpec;
  readonly vault?: VaultIssuerSpec;
  readonly selfSigned?: SelfSignedIssuerSpec;
  readonly venafi?: object;
  readonly external?: object;
}

export type IssuerType = keyof IssuerSpec;

/** The Secret that an issuer signs with. */
export interface SigningSecret {
  readonly name: string;
  /** A Secret named by the requester may belong to anyone. */
  readonly namedBy: 'issuer' | 'requester';
  /** Whether it contains a CA certificate, whose notAfter limits the certificates signed with it. */
  readonly holdsCa: boolean;
}

/** Reasons that differ between issuer types. */
export interface IssuerReasons {
  /** The request cannot be turned into a certificate. */
  readonly badRequest: Reason;
  /** The Secret of the issuer could not be read. */
  readonly secretReadFailed: 'SecretGetError' | 'ErrorGettingSecret';
  /** The content of that Secret cannot sign; the request waits until it changes. */
  readonly unusable: 'SecretInvalidData' | 'ErrorParsingKey';
  readonly signingFailed: Reason;
  readonly updateFailed: Reason;
  /** The message of CertificateIssued. */
  readonly issuedMessage: string;
}

interface IssuerTypeRow<Spec> {
  /** Whether Countersign signs for issuers of this type. */
  readonly signedHere: boolean;
  /** Whether cert-manager can issue for Countersign, where delegation is enabled. */
  readonly delegable: boolean;
  /** Whether it can sign requests of pods, whose keys are in no Secret and which no remote is asked about. */
  readonly servesPods: boolean;
  /** Keeps only the fields that are used. */
  prune(spec: Spec): Spec;
  /** `keySecretName`: the Secret that the request names, if any. */
  secretOf(spec: Spec, keySecretName: string | undefined): SigningSecret | undefined;
  /** Whether its certificates are self-signed. */
  readonly signsItself: boolean;
  /** Violations of the rules that apply to this type only. */
  findErrors(asked: SelfSignedRequest & DelegatedRequest): readonly FieldError[];
  readonly reasons: IssuerReasons;
}

const CA_REASONS: IssuerReasons = {
  badRequest: 'SigningError',
  secretReadFailed: 'SecretGetError',
  unusable: 'SecretInvalidData',
  signingFailed: 'SigningError',
  updateFailed: 'SigningError',
  issuedMessage: reasons.CertificateIssued.message(),
};

/** Types that other controllers sign: only their presence is kept. */
const LEFT_TO_OTHERS: IssuerTypeRow<object> = {
  signedHere: false,
  delegable: true,
  servesPods: false,
  prune: () => ({}),
  secretOf: () => undefined,
  signsItself: false,
  findErrors: () => [],
  reasons: CA_REASONS,
};

/** In the order in which cert-manager checks (pkg/api/util NameForIssuer), which decides if a spec has two types. */
export const issuerTypes = {
  acme: { ...LEFT_TO_OTHERS, findErrors: acmeErrors },
  ca: {
    signedHere: true,
    delegable: false,
    servesPods: true,
    prune: spec => pick(spec, 'secretName', 'crlDistributionPoints', 'ocspServers', 'issuingCertificateURLs'),
    secretOf: ({ secretName }) => ({ name: secretName ?? '', namedBy: 'issuer', holdsCa: true }),
    signsItself: false,
    findErrors: () => [],
    reasons: CA_REASONS,
  },
  vault: {
    signedHere: true,
    delegable: false,
    servesPods: false,
    prune: pruneVault,
    // Its Secrets hold credentials, and are read when they are needed.
    secretOf: () => undefined,
    signsItself: false,
    findErrors: () => [],
    reasons: {
      badRequest: 'ErrorSigning',
      secretReadFailed: 'SecretGetError',
      unusable: 'SecretInvalidData',
      signingFailed: 'ErrorSigning',
      updateFailed: 'ErrorUpdate',
      issuedMessage: reasons.CertificateIssued.vault(),
    },
  },
  selfSigned: {
    signedHere: true,
    delegable: false,
    servesPods: false,
    prune: spec => pick(spec, 'crlDistributionPoints'),
    secretOf: (_, name) => (name === undefined ? undefined : { name, namedBy: 'requester', holdsCa: false }),
    signsItself: true,
    findErrors: selfSignedErrors,
    reasons: {
      badRequest: 'ErrorGenerating',
      secretReadFailed: 'ErrorGettingSecret',
      unusable: 'ErrorParsingKey',
      signingFailed: 'ErrorSigning',
      updateFailed: 'ErrorUpdate',
      issuedMessage: reasons.CertificateIssued.selfSigned(),
    },
  },
  venafi: {
    ...LEFT_TO_OTHERS,
    findErrors: venafiErrors,
    reasons: { ...CA_REASONS, issuedMessage: reasons.CertificateIssued.venafi() },
  },
  external: LEFT_TO_OTHERS,
} satisfies { readonly [Type in IssuerType]-?: IssuerTypeRow<NonNullable<IssuerSpec[Type]>> };

/** The type assumed of an issuer that is not known, as most are: it adds no rules of its own. */
export const ASSUMED_TYPE: IssuerType = 'ca';

/** Whether requests for issuers of the type are handled here: signed, or delegated to cert-manager. */
export function isServed(type: IssuerType, { delegates = false }: { readonly delegates?: boolean }): boolean {
  const { signedHere, delegable } = issuerTypes[type];
  return signedHere || (delegates && delegable);
}

/** The types that Countersign signs, by their name in the spec. */
export const TYPES_SIGNED_HERE = (Object.keys(issuerTypes) as IssuerType[]).filter(
  type => issuerTypes[type].signedHere,
);

/** Undefined if the spec has no type. */
export function typeOfSpec(spec: IssuerSpec | undefined): IssuerType | undefined {
  // Go treats null as absent; the spec itself may be missing if the CRD is older than its schema.
  return (Object.keys(issuerTypes) as IssuerType[]).find(type => spec?.[type] != null);
}

/** Prunes each type in the spec to the fields that are used. No object of the API is external by its spec. */
export function pruneSpec(spec: IssuerSpec | undefined): IssuerSpec {
  const rows = Object.entries(issuerTypes) as [IssuerType, IssuerTypeRow<object>][];
  return Object.fromEntries(
    rows.flatMap(([type, row]) => {
      const part = spec?.[type];
      return part == null || type === 'external' ? [] : [[type, row.prune(part)]];
    }),
  );
}

/**
 * The Secret that an issuer with this spec signs with, for a request that names `keySecretName`; undefined if there
 * is none.
 */
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
