// Starts the webhook: reads the configuration, wires the parts, and shuts them down in order. The only file of the
// service that exits the process.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterClient, createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { RequestObserver } from '@countersign/common/runtime/kube/kube-connection.ts';
import { ServerClock } from '@countersign/common/runtime/kube/server-clock.ts';
import { requestPolicy } from '@countersign/common/runtime/options/common-options.ts';
import { printableConfig } from '@countersign/common/runtime/options/config.ts';
import { startHttpServer } from '@countersign/common/runtime/process/health-server.ts';
import { createStopSignal, drain, requireNode } from '@countersign/common/runtime/process/lifecycle.ts';
import { createLogger, type Logger } from '@countersign/common/runtime/process/log.ts';
import { createRegistry, createRequestObserver } from '@countersign/common/runtime/process/metrics.ts';
import { reportFailure, runProgram } from '@countersign/common/runtime/process/program.ts';
import type { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import type { Registry } from 'prom-client';
import { ConstraintsView } from './constraints-view.ts';
import { createHandler } from './handler.ts';
import { IssuerView } from './issuer-view.ts';
import { WebhookMetrics } from './metrics.ts';
import { REVIEW_TIMEOUT_MS, SECRET_TIMEOUT_MS } from './observe.ts';
import { certificateSource, findMistakes, OPTIONS, type WebhookConfig } from './options.ts';
import { PermissionCache } from './permission-cache.ts';
import { SecretFactsReader } from './secret-facts.ts';
import { WebhookServer } from './serving/server.ts';
import {
  type KeyPairSource,
  readFromFiles,
  readFromSecret,
  ServingCertificate,
  withClientCa,
} from './serving/serving-certificate.ts';

const SERVICE = 'countersign-webhook';
const DRAIN_DEADLINE_MS = 10_000;

/**
 * Without the issuer cache, requests are still decided, only with fewer checks and warnings: a short wait is enough.
 */
const SYNC_WAIT_MS = 3_000;

async function run(config: WebhookConfig): Promise<number> {
  const log = createLogger({ service: SERVICE, level: config.logLevel });
  log.info({ config: printableConfig(OPTIONS, config), version: process.version }, 'starting');
  const stop = createStopSignal({ log, exit: code => process.exit(code) });
  const registry = createRegistry();
  const parts = await createParts(config, log, registry, await loadPolicyCache(config));
  const { client, certificate, issuers, constraints, approvals, server, clock } = parts;
  const http = await startHttpServer({
    address: config.httpAddress,
    registry,
    isReady: () => (stop.aborted ? ['stopping'] : [...certificate.problems(clock.now()), ...server.problems]),
  });
  log.info({ port: http.port }, 'serving metrics and health');
  const background = new AbortController();
  const watching = Promise.all([
    issuers.run(background.signal),
    constraints?.run(background.signal),
    approvals?.cache.reflector.run(background.signal),
  ]);
  const stopWatching = async () => {
    background.abort();
    await watching;
  };
  await serve(parts, config, log, stop);
  const isClean = await drain(
    [
      { name: 'HTTPS server', close: () => server.close() },
      { name: 'watches', close: stopWatching },
      { name: 'API client', close: () => client.close() },
      { name: 'HTTP server', close: () => http.close() },
    ],
    { deadlineMs: DRAIN_DEADLINE_MS, log },
  );
  log.info('stopped');
  return isClean ? 0 : 1;
}

interface Parts {
  readonly client: KubeClient;
  readonly certificate: ServingCertificate;
  readonly issuers: IssuerView;
  /** Undefined if name constraints are not checked. */
  readonly constraints: ConstraintsView | undefined;
  /** Undefined if approval policies are not evaluated. */
  readonly approvals: { readonly cache: PolicyCache; readonly mode: 'warn' | 'deny' } | undefined;
  readonly server: WebhookServer;
  readonly clock: ServerClock;
}

/** Loaded only where it is needed, because it loads CEL. */
async function loadPolicyCache({ approvalPolicies }: WebhookConfig): Promise<typeof PolicyCache | undefined> {
  if (approvalPolicies === 'off') return undefined;
  return (await import('@countersign/common/runtime/reflector/policy-cache.ts')).PolicyCache;
}

async function createParts(
  config: WebhookConfig,
  log: Logger,
  registry: Registry,
  Policies?: typeof PolicyCache,
): Promise<Parts> {
  const metrics = new WebhookMetrics(registry);
  const clock = new ServerClock();
  const client = createClient(config, registry, clock);
  const seen = { client, log, metrics: metrics.reflector };
  const issuers = new IssuerView(seen);
  const { namespace } = client;
  const constraints = config.honourNameConstraints ? new ConstraintsView({ ...seen, namespace }) : undefined;
  const mode = config.approvalPolicies;
  const approvals = Policies && mode !== 'off' ? { cache: new Policies(seen), mode } : undefined;
  const handle = createHandler({
    client,
    issuers,
    ...(constraints && { constraints }),
    ...(approvals && { approvals }),
    ...(config.secretWarnings && { secrets: new SecretFactsReader(client, SECRET_TIMEOUT_MS) }),
    clusterResourceNamespace: config.clusterResourceNamespace || client.namespace,
    permissions: new PermissionCache(config.permissionTtl),
    reviewTimeoutMs: REVIEW_TIMEOUT_MS,
    metrics,
    log,
    now: () => new Date(),
    policy: requestPolicy(config),
  });
  const keyPair = await keyPairSource(config, client, log, clock);
  const needsClientCertificate = config.clientCaFile !== '';
  const source = needsClientCertificate ? withClientCa(keyPair, config.clientCaFile) : keyPair;
  const certificate = new ServingCertificate({ source, log, metrics, now: clock.now });
  const server = new WebhookServer({ handle, log, metrics, needsClientCertificate });
  return { client, certificate, issuers, constraints, approvals, server, clock };
}

function createClient({ kubeconfig }: WebhookConfig, registry: Registry, clock: ServerClock): ClusterClient {
  const count = createRequestObserver(registry);
  const observe: RequestObserver = observation => {
    count(observation);
    clock.observe(observation);
  };
  return createClusterClient({ kubeconfig, observe, requestTimeoutMs: REVIEW_TIMEOUT_MS });
}

async function keyPairSource(
  config: WebhookConfig,
  client: KubeClient,
  log: Logger,
  { now }: ServerClock,
): Promise<KeyPairSource> {
  const source = certificateSource(config);
  switch (source?.kind) {
    case undefined:
      throw new TypeError('the options were not validated');
    case 'files':
      return readFromFiles(source.certFile, source.keyFile);
    case 'secret':
      return readFromSecret(client, source.secret.namespace, source.secret.name);
    case 'managed': {
      // Loaded only where it is needed, because it loads @peculiar/x509.
      const { ManagedCertificate } = await import('./managed-certificate/managed-certificate.ts');
      return new ManagedCertificate({ ...source, client, log, now, wait: sleep }).read;
    }
  }
}

/**
 * Serves from the first usable certificate until the signal plus the drain delay, in which callers stop using
 * this replica.
 */
async function serve(parts: Parts, config: WebhookConfig, log: Logger, stop: AbortSignal): Promise<void> {
  const { certificate, issuers, server } = parts;
  const keyPair = await certificate.waitForFirst(stop);
  if (keyPair === undefined) return;
  await issuers.waitUntilSynced(AbortSignal.any([stop, AbortSignal.timeout(SYNC_WAIT_MS)]));
  server.useKeyPair(keyPair);
  log.info({ port: await server.listen(config.address) }, 'serving admission requests');
  await certificate.follow(stop, server.useKeyPair);
  server.drain();
  await sleep(config.drainDelay);
}

try {
  requireNode();
  process.exitCode = await runProgram({ service: SERVICE, options: OPTIONS, findMistakes }, run);
} catch (error) {
  await reportFailure(SERVICE, error);
  process.exit(1);
}
