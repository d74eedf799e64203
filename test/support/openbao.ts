// A real OpenBao server, which speaks Vault's API, on 127.0.0.1: in memory, unsealed, with a root token, and on demand
// with TLS listeners, one of which requires client certificates. Ended by its process.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, logTail, startChild } from './control-plane/child.ts';
import { findTools } from './control-plane/find-tools.ts';
import { freePort } from './control-plane/loopback.ts';

interface TlsFiles {
  readonly certPem: string;
  readonly keyPem: string;
  readonly clientCaPem: string;
}

export interface OpenBaoOptions {
  /** The certificate of the TLS listeners, and the CA of client certificates. */
  readonly tls?: TlsFiles;
  /** Restart on the port of a server that was stopped. */
  readonly port?: number;
  /** Where to create the folder with its log. Defaults to the folder for temporary files. */
  readonly parent?: string;
  /** Where it listens without TLS. Defaults to 127.0.0.1. */
  readonly address?: string;
}

export const ROOT_TOKEN = 'root';
const READY_MS = 60_000;

export async function startOpenBao({
  tls,
  port: wanted,
  parent = tmpdir(),
  address = '127.0.0.1',
}: OpenBaoOptions = {}): Promise<OpenBao> {
  const { bao } = await findTools(['bao']);
  const dir = await mkdtemp(join(parent, 'countersign-openbao-'));
  for (let left = 5; ; left -= 1) {
    const ports = { plain: wanted ?? (await freePairOfPorts()), tls: await freePort(), mutual: await freePort() };
    const config = tls === undefined ? [] : ['-config', await writeListeners(dir, ports, tls)];
    const args = ['server', '-dev', `-dev-root-token-id=${ROOT_TOKEN}`, '-dev-no-store-token'];
    const child = startChild({
      name: 'openbao',
      command: bao,
      args: [...args, `-dev-listen-address=${address}:${ports.plain}`, ...config],
      logPath: join(dir, 'openbao.log'),
      env: { HOME: dir, PATH: process.env['PATH'] },
    });
    const server = new OpenBao(dir, child, { ...ports, address });
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

interface Ports {
  /** Without TLS. */
  readonly plain: number;
  /** A client certificate may be sent. */
  readonly tls: number;
  /** A client certificate is required. */
  readonly mutual: number;
}

/** Returns the path of the configuration. */
async function writeListeners(dir: string, ports: Ports, { certPem, keyPem, clientCaPem }: TlsFiles): Promise<string> {
  const file = async (name: string, content: string) => {
    await writeFile(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  const [cert, key] = [await file('tls.crt', certPem), await file('tls.key', keyPem)];
  const clientCa = await file('client-ca.crt', clientCaPem);
  const listener = async (port: number, ...lines: readonly string[]) => `listener "tcp" {
  address = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${await freePort()}"
  tls_cert_file = "${cert}"
  tls_key_file = "${key}"
  ${lines.join('\n  ')}
}
`;
  const required = ['tls_require_and_verify_client_cert = true', `tls_client_ca_file = "${clientCa}"`];
  return file('listeners.hcl', (await listener(ports.tls)) + (await listener(ports.mutual, ...required)));
}

export interface BaoAnswer {
  readonly status: number;
  /** The fields that tests read, each of the paths that have it. */
  readonly body: {
    readonly auth: { readonly client_token: string };
    readonly data: { readonly role_id: string; readonly secret_id: string; readonly keys: readonly string[] };
  };
}

export class OpenBao {
  readonly ports: Ports;
  readonly #address: string;
  readonly #dir: string;
  readonly #child: Child;

  constructor(dir: string, child: Child, { address, ...ports }: Ports & { readonly address: string }) {
    this.#address = address;
    this.#dir = dir;
    this.#child = child;
    this.ports = ports;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get url(): string {
    return `http://${this.#address}:${this.ports.plain}`;
  }

  get tlsUrl(): string {
    return `https://127.0.0.1:${this.ports.tls}`;
  }

  get mutualUrl(): string {
    return `https://127.0.0.1:${this.ports.mutual}`;
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

  /** Its own metrics in the text format of Prometheus. */
  async readMetrics(): Promise<string> {
    const headers = { 'x-vault-token': ROOT_TOKEN };
    return (await fetch(`${this.url}/v1/sys/metrics?format=prometheus`, { headers })).text();
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

  async seal(): Promise<void> {
    await this.call('PUT', 'sys/seal');
  }

  async unseal(): Promise<void> {
    const [, key] = /Unseal Key: (\S+)/.exec(await readFile(this.#child.logPath, 'utf8')) ?? [];
    await this.call('PUT', 'sys/unseal', { key });
  }

  async stop(): Promise<void> {
    await this.#child.stop(5_000);
    await rm(this.#dir, { recursive: true, force: true });
  }
}
