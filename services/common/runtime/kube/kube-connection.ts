// The connections to the API server: one pool for requests and one for watches, rebuilt when the TLS material changes.
// Sends a request and returns its response, whatever the status; classifies only missing responses.

import type { Dispatcher } from 'undici';
import type { CredentialReader, Credentials } from '../credentials/kube-credentials.ts';
import type { Headers } from '../credentials/kubeconfig-user.ts';
import { type Answer, exchange, ResponseTimeoutError } from './exchange.ts';
import { type Agents, createAgents } from './kube-agents.ts';
import { type ApiCall, errorFromTransport, isUntrusted } from './kube-errors.ts';

export interface ApiRequest extends ApiCall {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Called when the request is about to be written to its connection; false cancels it. */
  readonly mayStart?: () => boolean;
}

/** One finished request, for metrics. `code` is the HTTP status, or `<error>` without a response (as in client-go). */
export interface RequestObservation {
  readonly method: string;
  readonly host: string;
  readonly code: string;
  readonly seconds: number;
  /**
   * The API server's clock in the response, in whole seconds (the header Date, RFC 9110, section 6.6.1); ms since 1970.
   */
  readonly serverTime?: number;
}

export type RequestObserver = (observation: RequestObservation) => void;

export interface ApiConnectionOptions {
  readonly credentials: CredentialReader;
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly observe?: RequestObserver;
}

export class ApiConnection {
  readonly #options: ApiConnectionOptions;
  #agents: Agents | undefined;
  #isClosed = false;

  constructor(options: ApiConnectionOptions) {
    this.#options = options;
  }

  /**
   * Sends one request and returns its complete response, within `timeoutMs`. Throws RetryableError if there is none.
   */
  exchange(request: ApiRequest, timeoutMs: number): Promise<Answer> {
    const { signal, mayStart } = request;
    const limits = { timeoutMs, ...(signal && { signal }), ...(mayStart && { mayStart }) };
    return this.#observed(request, async credentials => {
      const agents = this.#agentsFor(credentials);
      try {
        return await exchange(agents.requests, this.#optionsFor(request, credentials), limits);
      } catch (error) {
        if (error instanceof ResponseTimeoutError) this.#giveUpRequests(agents);
        throw error;
      }
    });
  }

  /** Opens a watch. The caller must read or destroy the body. Throws RetryableError if there is no response. */
  open(request: ApiRequest): Promise<Dispatcher.ResponseData> {
    const { signal } = request;
    return this.#observed(request, credentials =>
      this.#agentsFor(credentials).watches.request({
        ...this.#optionsFor(request, credentials),
        ...(signal && { signal }),
      }),
    );
  }

  /** Lets the requests in flight finish and cuts the watches. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const agents = this.#agents;
    this.#agents = undefined;
    await Promise.all([agents?.requests.close(), agents?.watches.destroy()]);
  }

  async #observed<T extends Pick<Answer, 'statusCode' | 'headers'>>(
    request: ApiRequest,
    send: (credentials: Credentials) => Promise<T>,
  ): Promise<T> {
    const credentials = await this.#options.credentials.read();
    const started = performance.now();
    try {
      const answer = await send(credentials);
      this.#observe(request, credentials, { code: String(answer.statusCode), date: answer.headers['date'] }, started);
      if (answer.statusCode === 401) this.#options.credentials.markRejected();
      return answer;
    } catch (cause) {
      this.#observe(request, credentials, { code: '<error>' }, started);
      // The CA in the kubeconfig may have been replaced.
      if (isUntrusted(cause)) this.#options.credentials.markRejected();
      throw errorFromTransport(request, cause);
    }
  }

  #optionsFor(request: ApiRequest, credentials: Credentials): Dispatcher.DispatchOptions & { method: string } {
    const { origin, prefix } = this.#agentsFor(credentials);
    return {
      origin,
      path: prefix + request.path,
      method: request.method,
      headers: this.#headers(request, credentials),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    };
  }

  #headers(request: ApiRequest, credentials: Credentials): Headers {
    return {
      ...credentials.headers,
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent,
      ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    };
  }

  #agentsFor(credentials: Credentials): Agents {
    if (this.#isClosed) throw new Error('the client is closed');
    const old = this.#agents;
    if (old?.fingerprint === credentials.fingerprint) return old;
    // Throws for a key that does not match its certificate, as while both are being replaced: the old connections stay.
    this.#agents = createAgents(credentials, this.#options.timeoutMs);
    // Requests in flight on the old connections may finish; a watch ends by its own timeoutSeconds.
    for (const agent of [old?.requests, old?.watches]) agent?.close().catch(() => undefined);
    return this.#agents;
  }

  /**
   * If a connection gave no response in time, as behind a firewall that dropped its state, the others may be dead too,
   * and each would cost a request as long. Requests in flight on them may still be answered.
   */
  #giveUpRequests(agents: Agents): void {
    if (this.#agents?.requests !== agents.requests) return;
    this.#agents = { ...agents, requests: agents.createRequests() };
    agents.requests.close().catch(() => undefined);
  }

  #observe(
    { method }: ApiRequest,
    { server }: Credentials,
    { code, date }: { readonly code: string; readonly date?: string | undefined },
    started: number,
  ): void {
    const seconds = (performance.now() - started) / 1000;
    const serverTime = date === undefined ? {} : { serverTime: Date.parse(date) };
    this.#options.observe?.({ method, host: server.host, code, seconds, ...serverTime });
  }
}
