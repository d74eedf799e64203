// A real OpenBao server, which speaks Vault's API, on 127.0.0.1: in memory, unsealed, with a root token, and on demand
// with a TLS listener that wants client certificates. Stopped by its process.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, logTail, startChild } from './control-plane/child.ts';
import { findTools } from './control-plane/find-tools.ts';
import { freePort } from './control-plane/loopback.ts';

export interface OpenBaoOptions {
  /** PEM files of a TLS listener; with `clientCaPem` it requires client certificates. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string; readonly clientCaPem?: string };
  /** Restart on the port of a server that was stopped. */
  readonly port?: number;
}

export const ROOT_TOKEN = 'root';
const READY_MS = 60_000;

export async function startOpenBao({ tls, port: wanted }: OpenBaoOptions = {}): Promise<OpenBao> {
  const { bao } = await findTools(['bao']);
  const dir = await mkdtemp(join(tmpdir(), 'countersign-openbao-'));
  for (let left = 5; ; left -= 1) {
    const port = wanted ?? (await freePairOfPorts());
    const tlsPort = await freePort();
    const config = tls === undefined ? [] : ['-config', await writeListener(dir, tlsPort, tls)];
    const args = ['server', '-dev', `-dev-root-token-id=${ROOT_TOKEN}`, '-dev-no-store-token'];
    const child = startChild({
      name: 'openbao',
      command: bao,
      args: [...args, `-dev-listen-address=127.0.0.1:${port}`, ...config],
      logPath: join(dir, 'openbao.log'),
      env: { HOME: dir, PATH: process.env['PATH'] },
    });
    const server = new OpenBao(dir, child, { port, tlsPort });
    if (await server.isServing()) return server;
    const log = logTail(child.logPath);
    await child.stop(5_000);
    if (left > 0 && log.includes('address already in use')) continue;
    await rm(dir, { recursive: true, force: true });
    throw new Error(`OpenBao did not start. Its log ends with:\n${log}`);
  }
}

/** It also listens on the next port. */
async function freePairOfPorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if ((await freePort(port + 1)) === port + 1) return port;
  }
}

async function writeListener(dir: string, port: number, tls: NonNullable<OpenBaoOptions['tls']>): Promise<string> {
  const file = async (name: string, content: string) => {
    await writeFile(join(dir, name), content, { mode: 0o600 });
    return JSON.stringify(join(dir, name));
  };
  const client =
    tls.clientCaPem === undefined
      ? 'tls_disable_client_certs = true'
      : `tls_require_and_verify_client_cert = true\n  tls_client_ca_file = ${await file('client-ca.crt', tls.clientCaPem)}`;
  const config = `listener "tcp" {
  address = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${await freePort()}"
  tls_cert_file = ${await file('tls.crt', tls.certPem)}
  tls_key_file = ${await file('tls.key', tls.keyPem)}
  ${client}
}\n`;
  return JSON.parse(await file('listener.hcl', config));
}

export interface BaoAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: Vault's answers differ by path.
  readonly body: any;
}

export class OpenBao {
  readonly port: number;
  readonly tlsPort: number;
  readonly #dir: string;
  readonly #child: Child;

  constructor(dir: string, child: Child, { port, tlsPort }: { readonly port: number; readonly tlsPort: number }) {
    this.#dir = dir;
    this.#child = child;
    this.port = port;
    this.tlsPort = tlsPort;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get tlsUrl(): string {
    return `https://127.0.0.1:${this.tlsPort}`;
  }

  /** Calls the API below /v1 with the root token; throws for an answer that is not 2xx. */
  async call(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<BaoAnswer> {
    const answer = await this.tryCall(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  async tryCall(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<BaoAnswer> {
    const response = await fetch(`${this.url}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': ROOT_TOKEN, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  async isServing(): Promise<boolean> {
    const deadline = performance.now() + READY_MS;
    while (this.#child.ending === undefined && performance.now() < deadline) {
      const answer = await this.tryCall('GET', 'sys/health').catch(() => undefined);
      if (answer?.status === 200) return true;
      await sleep(50);
    }
    return false;
  }

  async stop(): Promise<void> {
    await this.#child.stop(5_000);
    await rm(this.#dir, { recursive: true, force: true });
  }
}
