// Free ports on 127.0.0.1, and HTTPS requests with certificate verification to servers there. Uses no other address.

import { once } from 'node:events';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyPair } from './authority.ts';

/** Returns `preferred` if it is free, otherwise another free port. Another process may still take it first. */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer();
  try {
    await once(server.listen(preferred, '127.0.0.1'), 'listening');
  } catch (error) {
    if (preferred === 0) throw error;
    return freePort();
  }
  const address = server.address();
  await once(server.close(), 'close');
  if (address === null || typeof address === 'string') throw new Error('no port on 127.0.0.1');
  return address.port;
}

export interface Endpoint {
  readonly url: string;
  readonly caPem: string;
  readonly client: KeyPair;
}

/** Resolves when every path returns 200. Otherwise polls until `signal` is aborted. */
export async function waitUntilOk(endpoint: Endpoint, paths: readonly string[], signal: AbortSignal): Promise<void> {
  for (const path of paths) {
    while (!(await isOk(endpoint, path, signal))) await sleep(50, undefined, { signal });
  }
}

function isOk({ url, caPem, client }: Endpoint, path: string, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
  return new Promise(resolve => {
    // ACME servers reject requests without a user agent (RFC 8555 section 6.1).
    const headers = { 'user-agent': 'countersign-test' };
    const options = { ca: caPem, cert: client.certPem, key: client.keyPem, agent: false, signal: timeout, headers };
    const call = request(new URL(path, url), options, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('error', () => resolve(false));
    call.end();
  });
}
