// A client of the stack's API server for the containers setup and request. Authenticates with a client certificate and
// sends one request at a time. Does not retry.

import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Access, readKubeconfig } from './kubeconfig.ts';

export interface Answer<T = unknown> {
  readonly status: number;
  /** Errors have a reason and a message. */
  readonly body: T & { readonly reason?: string; readonly message?: string };
}

const TIMEOUT_MS = 10_000;

export class Api {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  static async open(kubeconfig: string): Promise<Api> {
    return new Api(await readKubeconfig(kubeconfig));
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.#send('GET', path);
  }

  create(path: string, body: object): Promise<Answer> {
    return this.#send('POST', path, body);
  }

  patch(path: string, body: object): Promise<Answer> {
    return this.#send('PATCH', path, body, 'application/merge-patch+json');
  }

  /** Server-side apply: creates or updates the object, and takes ownership of conflicting fields. */
  apply(path: string, body: object): Promise<Answer> {
    const query = '?fieldManager=countersign-compose&force=true';
    return this.#send('PATCH', path + query, body, 'application/apply-patch+yaml');
  }

  async #send<T>(method: string, path: string, body?: object, type = 'application/json'): Promise<Answer<T>> {
    const { server, ca, pair } = this.#access;
    const { promise, resolve, reject } = Promise.withResolvers<Answer<T>>();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { certPem: cert, keyPem: key } = pair;
    const options = { method, ca, cert, key, agent: false, signal, headers: { 'content-type': type } } as const;
    const call = request(new URL(path, server), options, response => {
      text(response).then(received => resolve({ status: response.statusCode ?? 0, body: parse(received) }), reject);
    });
    call.once('error', reject);
    call.end(body && JSON.stringify(body));
    return promise;
  }
}

/** Polls until there is a result. Throws after a timeout. */
export async function eventually<T>(what: string, withinMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`timed out after ${withinMs / 1000} s: ${what}`);
    await sleep(200);
  }
}

/** /readyz and similar endpoints return plain text. */
function parse(received: string) {
  try {
    return JSON.parse(received);
  } catch {
    return { message: received };
  }
}
