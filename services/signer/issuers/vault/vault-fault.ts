// What goes wrong with a Vault server, in words that may be shown to anyone who can read the CSR: the tenant chooses
// the server, so only the messages of Vault's own error format are repeated, cut and on one line.

import { ResponseTooLargeError } from '@countersign/common/runtime/kube/exchange.ts';
import { shorten } from '@countersign/common/short-text.ts';
import type { ObservedSecret } from '../../secret.ts';

/** Characters of a server's words; cert-manager's limit. */
const MAX_WORDS = 1_024;

/**
 * `missing`: a Secret is absent. `access`: the credentials or the settings are wrong. `unavailable`: may pass by
 * itself. `denied`: Vault refuses the issuer. `refused`: Vault refuses the request.
 */
export type FaultKind = 'missing' | 'access' | 'unavailable' | 'denied' | 'refused';

export class VaultFault extends Error {
  override readonly name = 'VaultFault';
  readonly kind: FaultKind;
  /** The Secret whose change may fix it. */
  readonly secret: ObservedSecret | undefined;

  constructor(kind: FaultKind, message: string, secret?: ObservedSecret) {
    super(message);
    this.kind = kind;
    this.secret = secret;
  }
}

export interface VaultAnswer {
  readonly statusCode: number;
  /** The parsed body; undefined if it is not a JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** Such as `Vault answered 400: unknown role: web`. */
export function wordsOf({ statusCode, body }: VaultAnswer): string {
  const errors = Array.isArray(body?.['errors']) ? body['errors'].filter(each => typeof each === 'string') : [];
  const words = errors
    .join('; ')
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim();
  if (words !== '') return `Vault answered ${statusCode}: ${shorten(words, MAX_WORDS)}`;
  const isRedirect = statusCode >= 300 && statusCode < 400;
  return `the Vault server returned an HTTP ${statusCode} response which is not a Vault error response${
    isRedirect ? '; redirects are not followed' : ''
  }`;
}

/** 412: an eventually consistent replica lacks the token's state. 429 and 5xx: overloaded, standby, sealed. */
export function isPassing({ statusCode }: VaultAnswer): boolean {
  return statusCode === 408 || statusCode === 412 || statusCode === 429 || statusCode >= 500;
}

/** Unsealed; 429: standby, 472 and 473: replication secondary and performance standby. */
const HEALTHY: ReadonlySet<number> = new Set([200, 429, 472, 473]);

/** For an answer about the server's health. */
export function isHealthy({ statusCode }: VaultAnswer): boolean {
  return HEALTHY.has(statusCode);
}

/** Why a login failed. */
export function loginFault(answer: VaultAnswer, secret: ObservedSecret | undefined): VaultFault {
  return new VaultFault('access', `error logging in to Vault server: ${wordsOf(answer)}`, secret);
}

/** A fault of the connection, as the cause of a failed login. */
export function asLoginFault({ message, secret }: VaultFault): VaultFault {
  return new VaultFault('access', `error logging in to Vault server: ${message}`, secret);
}

/** Why a certificate was not issued. Only a role refuses with 400, unless there is no such role. */
export function signFault(answer: VaultAnswer, secret: ObservedSecret | undefined): VaultFault {
  const words = wordsOf(answer);
  if (isPassing(answer)) return new VaultFault('unavailable', words);
  const isRequestAtFault = answer.statusCode === 400 && answer.body !== undefined && !/: unknown role: /.test(words);
  return isRequestAtFault ? new VaultFault('refused', words) : new VaultFault('denied', words, secret);
}

const CONNECTION_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'the connection was refused'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'the host name cannot be resolved'],
  [/TIMEOUT|^ETIMEDOUT$/, 'it did not answer in time'],
  [/^ERR_(SSL|TLS)|^EPROTO$/, 'the TLS handshake failed; check whether it speaks TLS and wants a client certificate'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'the connection was closed'],
];

/** A missing answer. An address that a name resolves to is never repeated. */
export function connectionFault(error: unknown): VaultFault {
  if (error instanceof ResponseTooLargeError) {
    return new VaultFault('unavailable', 'the answer of the Vault server is too large');
  }
  const code = codeOf(error);
  const [, known = code] = CONNECTION_WORDS.find(([pattern]) => pattern.test(code)) ?? [];
  const isUntrusted = /CERT|SIGNATURE/.test(code) && !code.startsWith('ERR_SSL');
  const words = isUntrusted ? `its TLS certificate is not trusted (${code}); check caBundle and serverName` : known;
  return new VaultFault('unavailable', `the Vault server cannot be reached: ${words}`);
}

/** Such as ECONNREFUSED; the name of an error without a code. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name.toUpperCase();
}
