// Runs cert-manager on a control plane as processes: its CRDs, controllers and webhook, as the administrator. Stops
// what it started.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { openAuthority } from '../control-plane/authority.ts';
import { type Child, logTail, startChild } from '../control-plane/child.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { findTools } from '../control-plane/find-tools.ts';
import { freePort } from '../control-plane/loopback.ts';

export interface CertManagerOptions {
  /** The namespace of the Secrets of ClusterIssuers. */
  readonly clusterResourceNamespace: string;
  /** The address of the DNS server for challenges. */
  readonly nameserver?: string;
}

const READY_MS = 30_000;
const GROUPS = ['cert-manager.io', 'acme.cert-manager.io'];

/** Starts nothing yet. */
export async function createCertManager(controlPlane: ControlPlane, options: CertManagerOptions): Promise<CertManager> {
  return new CertManager(controlPlane, options, await freePort());
}

/** Installs everything and resolves when the webhook answers. */
export async function startCertManager(controlPlane: ControlPlane, options: CertManagerOptions): Promise<CertManager> {
  const certManager = await createCertManager(controlPlane, options);
  try {
    await certManager.start();
    return certManager;
  } catch (error) {
    await certManager.stop();
    throw error;
  }
}

export class CertManager {
  readonly #controlPlane: ControlPlane;
  readonly #options: CertManagerOptions;
  readonly #port: number;
  readonly #dir: string;
  #webhook: Child | undefined;
  #controllers: Child | undefined;

  constructor(controlPlane: ControlPlane, options: CertManagerOptions, port: number) {
    this.#controlPlane = controlPlane;
    this.#options = options;
    this.#port = port;
    this.#dir = join(controlPlane.dir, 'cert-manager');
  }

  /** Installs it and starts both programs; `controllers` as for startControllers. */
  async start(controllers: readonly string[] = []): Promise<void> {
    await this.install();
    await this.startWebhook();
    await this.startControllers(controllers);
  }

  /** Takes over the CRDs of issuers from any other owner. */
  private async install(): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    const tools = await findTools(['cert-manager-crds']);
    await this.#apply(await readFile(tools['cert-manager-crds'], 'utf8'));
    const established = ['--for=condition=Established', '--timeout=60s', 'crd/certificaterequests.cert-manager.io'];
    await this.#kubectl(['wait', ...established]);
    await this.#apply(webhookConfigurations(await this.#createClientConfig()));
  }

  async startWebhook(): Promise<void> {
    const healthPort = await freePort();
    const ports = ['--port', `${this.#port}`, '--healthz-port', `${healthPort}`];
    const files = ['--tls-cert', join(this.#dir, 'tls.crt'), '--tls-key', join(this.#dir, 'tls.key')];
    this.#webhook = await this.#start('webhook', [...ports, ...files]);
    await waitUntilHealthy(this.#webhook, `http://127.0.0.1:${healthPort}/healthz`);
  }

  async stopWebhook(): Promise<void> {
    await this.#webhook?.stop(2_000);
    this.#webhook = undefined;
  }

  /** `controllers`: names of cert-manager's controllers; defaults to those that it runs by default. */
  async startControllers(controllers: readonly string[] = []): Promise<void> {
    const { clusterResourceNamespace, nameserver } = this.#options;
    const namespace = ['--cluster-resource-namespace', clusterResourceNamespace];
    const dns = nameserver === undefined ? [] : ['--nameservers', nameserver];
    const names = controllers.length === 0 ? [] : ['--controllers', controllers.join(',')];
    this.#controllers = await this.#start('controllers', [...namespace, ...dns, ...names]);
  }

  async stopControllers(): Promise<void> {
    await this.#controllers?.stop(2_000);
    this.#controllers = undefined;
  }

  /** The last lines of its logs, for an error message. */
  logTails(): string {
    const running = [this.#webhook, this.#controllers].filter(child => child !== undefined);
    return running.map(({ name, logPath }) => `${name}:\n${logTail(logPath)}`).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all([this.stopWebhook(), this.stopControllers()]);
  }

  async #start(command: 'webhook' | 'controllers', args: readonly string[]): Promise<Child> {
    const tools = await findTools(['cert-manager']);
    return startChild({
      name: `cert-manager ${command}`,
      command: tools['cert-manager'],
      args: [command, '--kubeconfig', this.#controlPlane.adminKubeconfig, ...args],
      logPath: join(this.#dir, `${command}.log`),
    });
  }

  /** Creates the serving certificate. Returns how the API server calls the webhook. */
  async #createClientConfig(): Promise<ClientConfig> {
    const file = (name: string) => join(this.#dir, name);
    const authority = await openAuthority('cert-manager webhook', file('ca.crt'), file('ca.key'));
    const serving = await authority.issueServing('cert-manager-webhook');
    await writeFile(file('tls.crt'), serving.certPem);
    await writeFile(file('tls.key'), serving.keyPem, { mode: 0o600 });
    const caBundle = Buffer.from(authority.certPem).toString('base64');
    return path => ({ url: `https://127.0.0.1:${this.#port}/${path}`, caBundle });
  }

  #apply(manifests: string): Promise<string> {
    return this.#kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifests);
  }

  async #kubectl(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.#controlPlane.kubectl(args, { input });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
}

async function waitUntilHealthy(child: Child, url: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    if (child.ending !== undefined || Date.now() > deadline)
      throw new Error(`${child.name} did not start (${child.ending}):\n${logTail(child.logPath)}`);
    await sleep(50);
  }
}

/** How to call the webhook at a path. */
export type ClientConfig = (path: 'validate' | 'mutate') => object;

/** As in cert-manager's chart. */
export function webhookConfigurations(clientConfig: ClientConfig): string {
  const common = {
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    name: 'webhook.cert-manager.io',
  };
  const rule = (operations: readonly string[], resources: readonly string[]) => ({
    rules: [{ apiGroups: GROUPS, apiVersions: ['v1'], operations, resources }],
  });
  const configuration = (kind: string, webhook: object) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'cert-manager-webhook' },
    webhooks: [{ ...common, ...webhook }],
  });
  const validating = { clientConfig: clientConfig('validate'), ...rule(['CREATE', 'UPDATE'], ['*/*']) };
  const mutating = { clientConfig: clientConfig('mutate'), ...rule(['CREATE'], ['certificaterequests']) };
  return [
    stringify(configuration('ValidatingWebhookConfiguration', validating)),
    stringify(configuration('MutatingWebhookConfiguration', mutating)),
  ].join('---\n');
}
