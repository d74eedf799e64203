// TLS handshakes that fail: when the API server does not trust the webhook's certificate, nothing else tells. Each is counted, and
// a line now and then says how many; never a line for each, for whoever scans the port would write the log.

import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { SparseCount } from '@countersign/common/runtime/process/sparse-count.ts';
import type { HandshakeFailure, WebhookMetrics } from '../metrics.ts';

/** Between two lines about the same kind of failure. */
const SILENCE_MS = 10_000;

export interface HandshakeFailuresOptions {
  readonly log: Logger;
  readonly metrics: Pick<WebhookMetrics, 'countHandshakeFailure'>;
  readonly clock?: () => number;
}

export class HandshakeFailures {
  readonly #options: HandshakeFailuresOptions;
  readonly #counts = new Map<HandshakeFailure, SparseCount>();

  constructor(options: HandshakeFailuresOptions) {
    this.#options = options;
  }

  /** Takes one failure. Whose it was, Node does not know any more. */
  note(error: Error & { readonly code?: unknown }, caller: { readonly authorizationError?: unknown } = {}): void {
    const { log, metrics } = this.#options;
    const cause = isUncertified(error, caller) ? 'uncertified' : causeOf(String(error.code));
    metrics.countHandshakeFailure(cause);
    const count = this.#countOf(cause).add();
    if (count !== undefined) log.warn({ err: error, cause, count }, 'TLS handshake failed');
  }

  #countOf(cause: HandshakeFailure): SparseCount {
    const count =
      this.#counts.get(cause) ?? new SparseCount(SILENCE_MS, this.#options.clock ?? (() => performance.now()));
    this.#counts.set(cause, count);
    return count;
  }
}

/** Of a certificate that is not from the client CA, Node only reports that the connection was closed: by itself. */
function isUncertified(error: { readonly code?: unknown }, caller: { readonly authorizationError?: unknown }): boolean {
  return error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' || Boolean(caller.authorizationError);
}

/** By the code of Node, which is made from OpenSSL's text. */
function causeOf(code: string): HandshakeFailure {
  // The alerts about a certificate (RFC 8446, section 6.2). Go, and so the API server, sends bad_certificate whatever is wrong.
  if (/_ALERT_(UNKNOWN_CA|[A-Z_]*CERTIFICATE)/.test(code)) return 'distrusted';
  if (code === 'ECONNRESET') return 'closed';
  return code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'timeout' : 'other';
}
