// Every difference between the outcomes of cert-manager's CSR controllers and of Countersign, with its row in
// docs/differences.md. What is not listed here is equal.

import type { Outcome } from '../support/issuers/parity-outcome.ts';
import type { Side } from '../support/issuers/parity-world.ts';

/** The event of one side, and its result where that differs, too. */
type Expected = Pick<Outcome, 'event'> & { readonly result?: Outcome['result'] };

export interface Difference extends Readonly<Record<Side, Expected>> {
  /** The first column of the row. */
  readonly row: string;
}

const VAULT_WAITS = 'Vault: sealed, down, overloaded, Secret missing, unknown role or path, token without permission';
const VENAFI_MESSAGE = 'Venafi: message of `ErrorRequest`';
const VENAFI_WAITS = 'Venafi: server down, Secret missing';

const fails = (event: string) => ({ result: 'failed', event: `Warning ${event}` }) as const;
const waits = (event: string) => ({ result: 'waiting', event: `Warning ${event}` }) as const;
const pending = (event: string) => ({ event: `Normal IssuancePending: ${event}` }) as const;

const NOT_SIGNED = 'ErrorSigning: Vault failed to sign: failed to sign certificate by vault:';
const callFailed = (path: string, code: number, errors: string) =>
  `${NOT_SIGNED} Error making API request.\n\nURL: POST http://<server>/v1/${path}\nCode: ${code}. Errors:\n\n* ${errors}`;
const cannotSignAt = (path: string, answer: string) =>
  `VaultDenied: Vault does not let the issuer sign at /v1/${path}: Vault answered ${answer}; check spec.vault.path of the issuer, and that the policy of its token has the capability update on that path`;
const ERRORED = 'to become ready: order is in "errored" state: Failed to create Order:';
const FORBIDDEN = `${ERRORED} 400 urn:ietf:params:acme:error:rejectedIdentifier: Order included an identifier for which issuance is forbidden by policy: "blocked.example"; subproblems:\n\turn:ietf:params:acme:error:rejectedIdentifier: [dns: blocked.example] blocked.example is a forbidden domain`;
const REFUSED =
  'Unexpected status code on TPP Certificate Request.\n Status:\n 400 Bad Request. \n Body:\n {"Error":"The policy allows no certificates."}\n';
const NOT_REACHED =
  'Failed to initialise Certificate Manager client for signing: tppClient.GetRefreshToken: Post "https://<server>/vedauth/authorize/oauth": dial tcp <server>: connect: connection refused';

/** By the name of the case. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'vault-refused': {
    row: 'Vault: message of a refusal',
    certManager: fails(callFailed('pki/sign/narrow', 400, 'common name www.example.org not allowed by this role')),
    countersign: fails(`${NOT_SIGNED} Vault answered 400: common name www.example.org not allowed by this role`),
  },
  'vault-no-role': {
    row: VAULT_WAITS,
    certManager: fails(callFailed('pki/sign/nope', 400, 'unknown role: nope')),
    countersign: waits(cannotSignAt('pki/sign/nope', '400: unknown role: nope')),
  },
  'vault-no-mount': {
    row: VAULT_WAITS,
    certManager: fails(callFailed('nope/sign/any', 403, '1 error occurred:\n\t* permission denied\n\n')),
    countersign: waits(cannotSignAt('nope/sign/any', '403: 1 error occurred: * permission denied')),
  },
  'vault-no-secret': {
    row: VAULT_WAITS,
    certManager: fails('SecretNotFound: Required secret resource not found'),
    countersign: waits('SecretNotFound: Required secret resource not found: Secret parity/missing'),
  },
  'vault-down': {
    row: VAULT_WAITS,
    certManager: fails(
      `${NOT_SIGNED} Post "http://<server>/v1/pki/sign/any": dial tcp <server>: connect: connection refused`,
    ),
    countersign: waits(
      'VaultUnavailable: Vault cannot sign at the moment, the request is repeated: the Vault server cannot be reached: the connection was refused',
    ),
  },
  'acme-blocked': {
    row: 'ACME: message of `OrderFailed`',
    certManager: fails(`OrderFailed: Failed to wait for order resource countersign/<object> ${FORBIDDEN}`),
    countersign: fails(`OrderFailed: Failed to wait for order resource "<object>" ${FORBIDDEN}`),
  },
  'acme-profile': {
    row: '`spec.acme.profile`',
    certManager: { result: 'issued', event: 'Normal CertificateIssued: Certificate fetched from issuer successfully' },
    countersign: fails(
      `OrderFailed: Failed to wait for order resource "<object>" ${ERRORED} acme: certificate authority does not advertise a profile with name nope`,
    ),
  },
  'venafi-no-subject': {
    row: VENAFI_MESSAGE,
    certManager: fails(
      "ErrorRequest: Failed to request Certificate Manager certificate: Certificate requests submitted to Venafi issuers must have the 'commonName' field or at least one other subject field set.",
    ),
    countersign: fails('ErrorRequest: the request has no subject: set a common name or another field of it'),
  },
  'venafi-refused': {
    row: VENAFI_MESSAGE,
    certManager: fails(`ErrorRequest: Failed to request Certificate Manager certificate: ${REFUSED}`),
    countersign: fails(`ErrorRequest: Failed to request certificate from Certificate Manager: ${REFUSED}`),
  },
  'venafi-no-secret': {
    row: VENAFI_WAITS,
    certManager: { event: 'Warning SecretNotFound: Required secret resource not found' },
    countersign: pending('Required secret resource not found: secrets "missing" not found'),
  },
  'venafi-down': {
    row: VENAFI_WAITS,
    certManager: { event: `Warning ErrorVenafiInit: ${NOT_REACHED}` },
    countersign: pending(NOT_REACHED),
  },
};
