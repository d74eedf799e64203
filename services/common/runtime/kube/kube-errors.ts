// Classifies every failure of the API server, once: HTTP codes, Status objects of a watch and broken connections become
// RetryableError or TerminalError with a message that says what failed, on which path, and what to do. Never retries.

import { type RetryableCode, RetryableError, type TerminalCode, TerminalError } from '../errors.ts';
import { NotStartedError, ResponseTooLargeError } from './exchange.ts';

/** The request; the query of `path` is left out of messages. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
}

interface Cause {
  readonly field?: string;
  readonly reason?: string;
}

/** metav1.Status, the fields that are used. */
export interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly Cause[] };
}

/** Proxies in front of the API server send 408. */
const RETRYABLE = new Map<number, RetryableCode>([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [408, 'timeout'],
  [409, 'conflict'],
  [410, 'gone'],
  [429, 'throttled'],
]);

/** Any other 4xx is `bad-request`: our request is wrong, and a retry does not fix it. */
const TERMINAL = new Map<number, TerminalCode>([
  [404, 'not-found'],
  [413, 'too-large'],
  [422, 'invalid'],
]);

const ADVICE = new Map<number, string>([
  [401, 'check the token or client certificate of this process'],
  [403, "check the RBAC rules of this process's ServiceAccount"],
  [413, 'the request exceeds the size limit of the API server'],
]);

const PAGE_NOT_FOUND = 'check that the CRD is installed and that this is the API server';

/** A longer Retry-After is a mistake of the server: no client may be silenced for hours. */
const MAX_RETRY_AFTER_MS = 600_000;

/** Enough to recognise a proxy's error page, not enough to flood a log. */
const MAX_TEXT = 200;

function nameOf(call: ApiCall): string {
  return `${call.method} ${call.path.split('?', 1)[0]}`;
}

/** undefined for what is not a JSON object, such as the page of a proxy. */
export function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function retryAfterMs(header: string | undefined, status: Status | undefined): number | undefined {
  const seconds = Number(header?.trim() || (status?.details?.retryAfterSeconds ?? Number.NaN));
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
}

function retryableCode(code: number): RetryableCode | undefined {
  return RETRYABLE.get(code) ?? (code >= 500 ? 'server' : code < 400 ? 'unknown' : undefined);
}

/**
 * Admission also denies with 422: a ValidatingAdmissionPolicy names no invalid field, and a webhook is named in the
 * message (k8s.io/apiserver pkg/admission/plugin/webhook/errors). Either may change like a permission.
 */
function isPolicy(code: number, status: Status | undefined): boolean {
  if (code !== 422) return false;
  const namesField = status?.details?.causes?.some(({ field }) => field) ?? false;
  return !namesField || /^admission webhook ".*" denied the request/.test(status?.message ?? '');
}

/** Without the verb `sign`, a write to the status of a PodCertificateRequest is an invalid field, not a 403. */
function isSignMissing(code: number, status: Status | undefined): boolean {
  const isMissing = ({ field, reason }: Cause) => field === 'spec.signerName' && reason === 'FieldValueForbidden';
  return code === 422 && (status?.details?.causes?.some(isMissing) ?? false);
}

/** For an object the API server sends a Status; a proxy in front of it sends its own page for what it cannot reach. */
function isPageNotFound(code: number, status: Status | undefined): boolean {
  return code === 404 && status?.reason !== 'NotFound';
}

function classify(message: string, code: number, status: Status | undefined, waitMs: number | undefined) {
  if (isPageNotFound(code, status)) return new RetryableError(message, { code: 'server' });
  if (status?.reason === 'AlreadyExists') return new TerminalError(message, { code: 'already-exists' });
  const isForbidden = isPolicy(code, status) || isSignMissing(code, status);
  const retryable = isForbidden ? 'forbidden' : retryableCode(code);
  if (retryable === undefined) return new TerminalError(message, { code: TERMINAL.get(code) ?? 'bad-request' });
  return new RetryableError(message, { code: retryable, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
}

function describe(call: ApiCall, code: number, status: Status | undefined, body: string): string {
  const reason = status?.reason ? ` ${status.reason}` : '';
  const said = status?.message ?? body.slice(0, MAX_TEXT).trim();
  const advice = isPageNotFound(code, status) ? PAGE_NOT_FOUND : ADVICE.get(code);
  return `${nameOf(call)}: ${code}${reason}${said ? `: ${said}` : ''}${advice ? ` (${advice})` : ''}`;
}

/** The error for an unsuccessful HTTP response. `retryAfter` is the header's text: seconds, as the API server sends. */
export function errorFromResponse(
  call: ApiCall,
  code: number,
  body: string,
  retryAfter?: string,
): RetryableError | TerminalError {
  const status = parseStatus(body);
  return classify(describe(call, code, status, body), code, status, retryAfterMs(retryAfter, status));
}

/**
 * The error for an ERROR event of a watch, whose object is a metav1.Status with the code that a list would have had.
 */
export function errorFromWatchEvent(call: ApiCall, object: unknown): RetryableError | TerminalError {
  const status: Status = typeof object === 'object' && object !== null ? object : {};
  const code = status.code ?? 500;
  return classify(describe(call, code, status, ''), code, status, retryAfterMs(undefined, status));
}

/** The error for a response that violates the API (not JSON, an endless line): a proxy or a broken server. */
export function errorFromInvalidResponse(call: ApiCall, detail: string, cause?: unknown): RetryableError {
  return new RetryableError(`${nameOf(call)}: ${detail}`, { code: 'server', cause });
}

function errorCodeOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : '';
}

function isTimeout(cause: unknown): boolean {
  return (cause instanceof Error && cause.name === 'TimeoutError') || /TIMEOUT|ETIMEDOUT/.test(errorCodeOf(cause));
}

/** Whether the connection failed because the server's certificate is not trusted, or belongs to another server. */
export function isUntrusted(cause: unknown): boolean {
  return /CERT|SIGNATURE|ERR_TLS/.test(errorCodeOf(cause));
}

function transportAdvice(cause: unknown): string {
  const code = errorCodeOf(cause);
  if (isUntrusted(cause))
    return " (check the CA and the server name in the kubeconfig against the server's certificate)";
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return ' (check the server address, and that the API server is up)';
  return '';
}

/** The error for a request without a complete response: refused, reset, TLS not trusted, too slow, or too much. */
export function errorFromTransport(call: ApiCall, cause: unknown): RetryableError | TerminalError {
  if (cause instanceof ResponseTooLargeError) {
    return new TerminalError(`${nameOf(call)}: ${cause.message}`, { code: 'too-large', cause });
  }
  if (cause instanceof NotStartedError) {
    return new RetryableError(`${nameOf(call)}: ${cause.message}`, { code: 'unknown', cause });
  }
  const code = errorCodeOf(cause);
  // The AggregateError of a refused dual-stack connect has a code and no message.
  const detail = (cause instanceof Error ? cause.message : String(cause)) || code;
  const text = isTimeout(cause) ? 'timed out' : 'connection failed';
  return new RetryableError(`${nameOf(call)}: ${text}: ${detail}${transportAdvice(cause)}`, {
    code: isTimeout(cause) ? 'timeout' : 'network',
    cause,
  });
}
