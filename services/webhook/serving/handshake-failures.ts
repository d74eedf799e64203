// Counts and logs failed TLS handshakes, the only sign that the API server does not trust the webhook's certificate.
// Logging is sampled, so that a port scan cannot flood the log.

import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { LogSampler } from '@countersign/common/runtime/process/log-sampler.ts';
import type { HandshakeFailure, WebhookMetrics } from '../metrics.ts';

/** Minimum time between two log lines with the same cause. */
const LOG_INTERVAL_MS = 10_000;

export interface HandshakeFailuresOptions {
  readonly log: Logger;
  readonly metrics: Pick<WebhookMetrics, 'countHandshakeFailure'>;
  readonly clock?: () => number;
}

export class HandshakeFailures {
  readonly #options: HandshakeFailuresOptions;
  readonly #counts = new Map<HandshakeFailure, LogSampler>();

  constructor(options: HandshakeFailuresOptions) {
    this.#options = options;
  }

  /** Records one failure. Node no longer knows the caller's address. */
  note(error: Error & { readonly code?: unknown }, caller: { readonly authorizationError?: unknown } = {}): void {
    const { log, metrics } = this.#options;
    const cause = isUncertified(error, caller) ? 'uncertified' : causeOf(String(error.code));
    metrics.countHandshakeFailure(cause);
    const count = this.#countOf(cause).add();
    if (count !== undefined) log.warn({ err: error, cause, count }, 'TLS handshake failed');
  }

  #countOf(cause: HandshakeFailure): LogSampler {
    const count =
      this.#counts.get(cause) ?? new LogSampler(LOG_INTERVAL_MS, this.#options.clock ?? (() => performance.now()));
    this.#counts.set(cause, count);
    return count;
  }
}

/**
 * For a certificate that is not from the client CA, Node reports only that the connection was closed, although it
 * closed it itself.
 */
function isUncertified(error: { readonly code?: unknown }, caller: { readonly authorizationError?: unknown }): boolean {
  return error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' || Boolean(caller.authorizationError);
}

/** Derives the cause from Node's error code, which Node derives from OpenSSL's text. */
function causeOf(code: string): HandshakeFailure {
  // The certificate alerts (RFC 8446, section 6.2). Go, and so the API server, always sends bad_certificate.
  if (/_ALERT_(UNKNOWN_CA|[A-Z_]*CERTIFICATE)/.test(code)) return 'distrusted';
  if (code === 'ECONNRESET') return 'closed';
  return code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'timeout' : 'other';
}
