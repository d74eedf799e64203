// Installs the chart on a control plane and runs the services as processes, each with a token of the chart's
// ServiceAccount, so that the chart's RBAC applies. For the demo and for tests. Stops what it started.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { openAuthority } from './control-plane/authority.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { freePort } from './control-plane/loopback.ts';
import {
  type RunningService,
  type ServiceName,
  startService,
  waitUntilReady,
  writeAccountKubeconfig,
} from './service-process.ts';

export const NAMESPACE = 'countersign';
const ROOT = new URL('../..', import.meta.url).pathname;
const TLS_SECRET = 'countersign-webhook-tls';
const MANAGED = [
  `--managed-certificate-secret=${NAMESPACE}/countersign-webhook-ca`,
  '--webhook-configuration=countersign-webhook',
  '--dns-names=127.0.0.1',
];

export interface InstallOptions {
  /** Chart values in addition to those that direct the API server to the webhook process. */
  readonly values?: Record<string, unknown>;
  readonly signerFlags?: readonly string[];
  /** Maps the API server's address to the one that the signer uses, for example a proxy. */
  readonly signerUrl?: (apiServer: string) => Promise<string>;
  readonly webhookFlags?: readonly string[];
  /** Flags of the approver, which runs only if they are given; the values must enable it. */
  readonly approverFlags?: readonly string[];
  /**
   * The address at which the API server calls webhooks that manage their own certificates. No webhook is started; each
   * needs its `--address`.
   */
  readonly managedWebhookUrl?: string;
  /** A webhook bundle, as in the image. Defaults to running from source, which uses 60 MiB more. */
  readonly webhookBundle?: string;
  /** The port of the webhook. Defaults to a free one. */
  readonly webhookPort?: number;
  /** Number of signer replicas. Defaults to 1. */
  readonly signers?: number;
}

/** Resolves when the release is installed and both services are ready. */
export async function install(controlPlane: ControlPlane, options: InstallOptions = {}): Promise<Installation> {
  const installation = new Installation(controlPlane, options.webhookPort ?? (await freePort()), options);
  try {
    await installation.release();
    if (options.managedWebhookUrl === undefined) await installation.start('webhook');
    for (let left = options.signers ?? 1; left > 0; left--) await installation.start('signer');
    if (options.approverFlags !== undefined) await installation.start('approver');
    return installation;
  } catch (error) {
    await installation.stop();
    throw error;
  }
}

export class Installation {
  readonly #controlPlane: ControlPlane;
  readonly #options: InstallOptions;
  readonly #webhookPort: number;
  readonly #dir: string;
  readonly #running: RunningService[] = [];

  constructor(controlPlane: ControlPlane, webhookPort: number, options: InstallOptions) {
    this.#controlPlane = controlPlane;
    this.#options = options;
    this.#webhookPort = webhookPort;
    this.#dir = join(controlPlane.dir, 'installation');
  }

  get webhookUrl(): string {
    return this.#options.managedWebhookUrl ?? `https://127.0.0.1:${this.#webhookPort}/validate`;
  }

  /** The command that installs the chart from the root of the repository. */
  get helmCommand(): readonly string[] {
    const values = join(this.#dir, 'values.yaml');
    return ['upgrade', '--install', 'countersign', `${ROOT}charts/countersign`, '-n', NAMESPACE, '-f', values];
  }

  /** Creates the namespace and the webhook's certificate, then installs the release. */
  async release(): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    await this.kubectl(['create', 'namespace', NAMESPACE]);
    const webhook = { url: this.webhookUrl, certificate: await this.#certificate() };
    const values = {
      ...this.#options.values,
      webhook: { ...(this.#options.values?.['webhook'] as object), ...webhook },
    };
    await writeFile(join(this.#dir, 'values.yaml'), stringify(values));
    const { code, stderr } = await this.#controlPlane.helm(this.helmCommand);
    if (code !== 0) throw new Error(`helm could not install the chart: ${stderr}`);
  }

  async #certificate(): Promise<object> {
    if (this.#options.managedWebhookUrl !== undefined) return { mode: 'managed' };
    const caPem = await this.#createServingCertificate();
    return { mode: 'secret', caBundle: Buffer.from(caPem).toString('base64') };
  }

  /** Starts one replica of a service and waits until it is ready. */
  async start(name: ServiceName, flags: readonly string[] = []): Promise<RunningService> {
    const httpPort = await freePort();
    const { signerFlags, webhookFlags, approverFlags, webhookBundle } = this.#options;
    const own = { signer: signerFlags, webhook: webhookFlags, approver: approverFlags }[name] ?? [];
    const args = [...(await this.#flags(name, httpPort)), ...own, ...flags];
    const bundle = name === 'webhook' && webhookBundle !== undefined ? { program: webhookBundle } : {};
    const logPath = join(this.#dir, `${name}-${httpPort}.log`);
    const service = startService({ name, httpPort, args, logPath, ...bundle });
    this.#running.push(service);
    await waitUntilReady(service);
    return service;
  }

  /** Returns the running replicas of a service, oldest first. */
  running(name: ServiceName): readonly RunningService[] {
    return this.#running.filter(service => service.name === name && service.child.ending === undefined);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(({ child }) => child.stop(10_000)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Runs kubectl as the administrator, or as `user`. Throws if it fails. */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.#controlPlane.kubectl(args, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async #flags(name: ServiceName, port: number): Promise<string[]> {
    const { url } = this.#controlPlane;
    const kubeconfig = await writeAccountKubeconfig(this.#controlPlane, {
      account: `countersign-${name}`,
      namespace: NAMESPACE,
      server: name === 'signer' ? ((await this.#options.signerUrl?.(url)) ?? url) : url,
      path: join(this.#dir, `${name}.kubeconfig`),
    });
    const common = ['--kubeconfig', kubeconfig, '--http-address', `127.0.0.1:${port}`];
    const given = ['--address', `127.0.0.1:${this.#webhookPort}`, '--tls-secret', `${NAMESPACE}/${TLS_SECRET}`];
    const webhook = this.#options.managedWebhookUrl === undefined ? given : MANAGED;
    return name === 'webhook' ? [...common, ...webhook] : common;
  }

  async #createServingCertificate(): Promise<string> {
    const file = (name: string) => join(this.#dir, name);
    const authority = await openAuthority('countersign webhook', file('webhook-ca.crt'), file('webhook-ca.key'));
    const { certPem, keyPem } = await authority.issueServing('countersign-webhook');
    await writeFile(file('tls.crt'), certPem);
    await writeFile(file('tls.key'), keyPem, { mode: 0o600 });
    const files = [`--cert=${file('tls.crt')}`, `--key=${file('tls.key')}`];
    await this.kubectl(['create', 'secret', 'tls', TLS_SECRET, '-n', NAMESPACE, ...files]);
    return authority.certPem;
  }
}
