// The webhook on a real HTTPS server on 127.0.0.1, with a fake API server and given issuers. For the tests in
// this folder.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { PERMISSIVE_POLICY, type RequestPolicy } from '@countersign/common/request-policy.ts';
import { createLogger } from '@countersign/common/runtime/process/log.ts';
import { createRegistry } from '@countersign/common/runtime/process/metrics.ts';
import { formatRef } from '@countersign/common/signer-name.ts';
import type { ConstrainedCa } from '@countersign/common/x509/name-constraints/constraint-subtrees.ts';
import { type AdmissionHandler, createHandler, type HandlerDeps } from '@countersign/webhook/handler.ts';
import { WebhookMetrics } from '@countersign/webhook/metrics.ts';
import type { Caller } from '@countersign/webhook/review-limiter.ts';
import { SecretFactsReader } from '@countersign/webhook/secret-facts.ts';
import { WebhookServer } from '@countersign/webhook/serving/server.ts';
import type { KeyPair } from '@countersign/webhook/serving/serving-certificate.ts';
import { Agent, request } from 'undici';
import type { ReviewAnswer } from '../../support/admission-answers.ts';
import { type Answer, RecordingClient } from '../../support/recording-client.ts';

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** A self-signed certificate for 127.0.0.1, created with openssl. */
export function makeKeyPair(name = 'webhook', days = 30, kind: readonly string[] = P256): KeyPair {
  const newKey = [...kind, '-nodes', '-keyout', '-'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const text = openssl(['req', '-x509', ...newKey, ...names, '-days', String(days)]);
  return { cert: pemBlock(text, 'CERTIFICATE'), key: pemBlock(text, 'PRIVATE KEY') };
}

/** The same, but expired yesterday. */
export function makeExpiredKeyPair(): KeyPair {
  const { cert, key } = makeKeyPair('expired');
  const dir = mkdtempSync(join(tmpdir(), 'webhook-'));
  const keyFile = join(dir, 'key.pem');
  writeFileSync(keyFile, key, { mode: 0o600 });
  const expired = openssl(['x509', '-signkey', keyFile, '-days', '-1'], cert);
  rmSync(dir, { recursive: true });
  return { cert: pemBlock(expired, 'CERTIFICATE'), key };
}

function openssl(args: readonly string[], input = ''): string {
  return execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
}

function pemBlock(text: string, label: string): string {
  return new RegExp(`-----BEGIN ${label}-----[^]*-----END ${label}-----\n`).exec(text)?.[0] ?? '';
}

export interface ClusterState {
  /** Issuers by `namespace/name` (`/name` for a ClusterIssuer). If absent, issuers are unknown. */
  readonly issuers?: Readonly<Record<string, Issuer>>;
  /** The API server's answers. */
  readonly answer?: Answer;
  readonly now?: Date;
  /** For all access reviews of an admission; defaults to 100 ms. */
  readonly reviewTimeoutMs?: number;
  /** The operator's policy; defaults to cert-manager's behaviour. */
  readonly policy?: RequestPolicy;
  /** The constrained CAs of every issuer; defaults to none. */
  readonly constrained?: readonly ConstrainedCa[];
  /** If absent, approval policies are not evaluated. */
  readonly approvals?: HandlerDeps['approvals'];
}

/** The response: an AdmissionReview with 200, otherwise an error. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: ReviewAnswer & { readonly error: string; readonly uid?: string };
}

/** A caller that waits for its answer. */
const CALLER: Caller = { address: '127.0.0.1', signal: new AbortController().signal };

/** The key pair of the fixture. */
export const KEY_PAIR = makeKeyPair();

export class WebhookFixture {
  readonly client = new RecordingClient();
  readonly registry = createRegistry();
  readonly metrics = new WebhookMetrics(this.registry);
  readonly logs: Record<string, unknown>[] = [];
  readonly log = createLogger({
    service: 'webhook',
    level: 'info',
    destination: { write: line => void this.logs.push(JSON.parse(line)) },
  });
  readonly agent = new Agent({ connect: { ca: KEY_PAIR.cert } });
  server!: WebhookServer;
  port = 0;
  #cluster: ClusterState = {};
  #handler = this.#createHandler();
  readonly handle = (body: unknown, caller: Caller = CALLER) => this.#handler(body, caller);

  #createHandler(): AdmissionHandler {
    return createHandler({
      client: this.client,
      issuers: {
        find: ref => (this.#cluster.issuers ? (this.#cluster.issuers[formatRef(ref)] ?? 'missing') : 'unknown'),
      },
      constraints: { find: () => this.#cluster.constrained ?? [] },
      ...(this.#cluster.approvals && { approvals: this.#cluster.approvals }),
      // A new reader for each read, so that each case sees its own calls.
      secrets: { read: ref => new SecretFactsReader(this.client, 50).read(ref) },
      clusterResourceNamespace: 'countersign',
      policy: this.#cluster.policy ?? PERMISSIVE_POLICY,
      reviewTimeoutMs: this.#cluster.reviewTimeoutMs ?? 100,
      metrics: this.metrics,
      log: this.log,
      now: () => this.#cluster.now ?? new Date(),
    });
  }

  async start(): Promise<this> {
    this.server = new WebhookServer({ handle: this.handle, log: this.log, metrics: this.metrics, graceMs: 200 });
    this.server.useKeyPair(KEY_PAIR);
    this.port = await this.server.listen({ host: '127.0.0.1', port: 0 });
    return this;
  }

  /** Clears the recorded calls and logs, and sets a new cluster state. */
  reset(cluster: ClusterState): void {
    this.#cluster = cluster;
    this.#handler = this.#createHandler();
    this.client.answer = cluster.answer ?? (() => undefined);
    this.client.calls.length = 0;
    this.logs.length = 0;
  }

  async post(body: unknown, headers: Record<string, string> = {}, path = '/validate?timeout=5s'): Promise<HttpAnswer> {
    const response = await request(`https://127.0.0.1:${this.port}${path}`, {
      method: 'POST',
      dispatcher: this.agent,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
    return { status: response.statusCode, body: (await response.body.json()) as HttpAnswer['body'] };
  }

  async stop(): Promise<void> {
    await this.agent.close();
    await this.server.close();
  }
}
