// A simple API server client for tests. It returns every response unchanged, including status and warnings, can act as
// any user, never retries, and shares no code with the services' client.

import { readFile } from 'node:fs/promises';
import { Pool } from 'undici';
import { parse } from 'yaml';

/** A user to impersonate as the administrator, or a token to authenticate with. */
export type Caller = { readonly user: string; readonly groups?: readonly string[] } | { readonly token: string };

export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** For PATCH, defaults to a merge patch. */
  readonly contentType?: string;
  /** Defaults to the administrator. */
  readonly as?: Caller;
  /** How long the API server may take to answer, in milliseconds; defaults to 20 s. */
  readonly timeoutMs?: number;
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
  /** The text of each Warning header. */
  readonly warnings: readonly string[];
}

/** metav1.Status of a failed request. */
export interface Refusal {
  readonly message: string;
  readonly reason?: string;
  readonly code: number;
  readonly details?: {
    readonly causes?: readonly { readonly reason: string; readonly field: string; readonly message: string }[];
  };
}

const TIMEOUT_MS = 20_000;

export class Api {
  readonly #admin: Pool;
  /** Sends no client certificate, so that the token is used for authentication. */
  readonly #anonymous: Pool;

  constructor(url: string, connect: { readonly ca: string; readonly cert: string; readonly key: string }) {
    // With HTTP/2, undici joins headers with the same name into one value.
    const options = { allowH2: false, connections: 16, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS };
    this.#admin = new Pool(url, { ...options, connect });
    this.#anonymous = new Pool(url, { ...options, connect: { ca: connect.ca } });
  }

  /** The kubeconfig must contain a client certificate. */
  static async fromKubeconfig(path: string): Promise<Api> {
    const { clusters, users } = parse(await readFile(path, 'utf8'));
    const decode = (value: string) => Buffer.from(value, 'base64').toString();
    const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
    const { 'client-certificate-data': cert, 'client-key-data': key } = users[0].user;
    return new Api(server, { ca: decode(ca), cert: decode(cert), key: decode(key) });
  }

  async call<T>({
    method = 'GET',
    path,
    body,
    contentType,
    as,
    timeoutMs = TIMEOUT_MS,
  }: ApiCall): Promise<ApiAnswer<T>> {
    const isToken = as !== undefined && 'token' in as;
    const response = await (isToken ? this.#anonymous : this.#admin).request({
      method,
      path,
      headersTimeout: timeoutMs,
      headers: [...callerHeaders(as), 'content-type', contentType ?? usualContentType(method)],
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.body.json()) as T;
    return { status: response.statusCode, body: answer, warnings: readWarnings(response.headers['warning']) };
  }

  /** Returns the response body; throws the API server's message on failure. */
  async do<T>(call: ApiCall): Promise<T> {
    const { status, body } = await this.call<T>(call);
    if (status < 300) return body;
    throw new Error(`${call.method ?? 'GET'} ${call.path}: ${status} ${(body as Refusal).message}`);
  }

  get<T>(path: string): Promise<T> {
    return this.do<T>({ path });
  }

  create<T>(path: string, body: unknown): Promise<T> {
    return this.do<T>({ method: 'POST', path, body });
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.do<T>({ method: 'PATCH', path, body });
  }

  remove(path: string): Promise<unknown> {
    return this.do({ method: 'DELETE', path });
  }

  async close(): Promise<void> {
    await Promise.all([this.#admin.destroy(), this.#anonymous.destroy()]);
  }
}

/**
 * A flat list of names and values: undici would join several values of one name, and the API server would treat them as
 * one group.
 */
function callerHeaders(as: Caller | undefined): string[] {
  if (as === undefined) return [];
  if ('token' in as) return ['authorization', `Bearer ${as.token}`];
  return ['impersonate-user', as.user, ...(as.groups ?? []).flatMap(group => ['impersonate-group', group])];
}

function usualContentType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

/** `299 - "text"`, one per header or several in one (RFC 9111 appendix). */
function readWarnings(header: string | string[] | undefined): string[] {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  return lines.flatMap(line =>
    [...line.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1')),
  );
}
