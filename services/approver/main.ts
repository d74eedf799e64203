// Starts the approver: reads the configuration, wires the parts together, and drains them in order at the end. The only
// file of the service that exits.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { CSR_PATH } from '@countersign/common/csr.ts';
import { ApiContact, keepContact } from '@countersign/common/runtime/controller/api-contact.ts';
import { LeaderLease } from '@countersign/common/runtime/controller/leader-lease.ts';
import { soleLeadership } from '@countersign/common/runtime/controller/leadership.ts';
import { leaseTiming } from '@countersign/common/runtime/controller/lease-timing.ts';
import { type ClusterClient, createClusterClient } from '@countersign/common/runtime/kube/cluster-client.ts';
import { printableConfig } from '@countersign/common/runtime/options/config.ts';
import { startHttpServer } from '@countersign/common/runtime/process/health-server.ts';
import { createStopSignal, drain, requireNode } from '@countersign/common/runtime/process/lifecycle.ts';
import { createLogger, type Logger } from '@countersign/common/runtime/process/log.ts';
import { createRegistry, createRequestObserver } from '@countersign/common/runtime/process/metrics.ts';
import { runProgram } from '@countersign/common/runtime/process/program.ts';
import { Controller } from './controller.ts';
import { ApproverMetrics } from './metrics.ts';
import { type ApproverConfig, findMistakes, OPTIONS, requestPolicy, signerScope } from './options.ts';

const SERVICE = 'countersign-approver';
const DRAIN_DEADLINE_MS = 20_000;

async function run(config: ApproverConfig): Promise<number> {
  const log = createLogger({ service: SERVICE, level: config.logLevel });
  log.info({ config: printableConfig(OPTIONS, config), version: process.version }, 'starting');
  const stop = createStopSignal({ log, exit: code => process.exit(code) });
  const registry = createRegistry();
  const metrics = new ApproverMetrics(registry);
  const client = createClusterClient({ kubeconfig: config.kubeconfig, observe: createRequestObserver(registry) });
  const scope = signerScope(config);
  const { workers } = config;
  const controller = new Controller({ client, log, metrics, scope, workers, requestPolicy: requestPolicy(config) });
  const contact = new ApiContact();
  const http = await startHttpServer({
    address: config.httpAddress,
    registry,
    isReady: () => (stop.aborted ? ['stopping'] : [...controller.problems(), ...contact.problems()]),
  });
  log.info({ port: http.port }, 'serving metrics and health');
  const leading = config.leaderElect
    ? [createLease(config, client, { log, contact }).run(stop, leadership => controller.lead(leadership))]
    : [controller.lead(soleLeadership(stop)), keepContact({ client, contact, log, path: CSR_PATH }, stop)];
  await Promise.all([controller.watch(stop), ...leading]);
  const isClean = await drain(
    [
      { name: 'events', close: () => controller.closeEvents(AbortSignal.timeout(5_000)) },
      { name: 'API client', close: () => client.close() },
      { name: 'HTTP server', close: () => http.close() },
    ],
    { deadlineMs: DRAIN_DEADLINE_MS, log },
  );
  log.info('stopped');
  return isClean ? 0 : 1;
}

function createLease(
  { leaseDuration }: ApproverConfig,
  client: ClusterClient,
  deps: { readonly log: Logger; readonly contact: ApiContact },
): LeaderLease {
  return new LeaderLease({
    ...deps,
    client: client.withTimeout(leaseTiming(leaseDuration).timeoutMs),
    namespace: client.namespace,
    name: SERVICE,
    identity: `${hostname()}_${randomUUID()}`,
    durationMs: leaseDuration,
  });
}

try {
  requireNode();
  process.exitCode = await runProgram({ service: SERVICE, options: OPTIONS, findMistakes }, run);
} catch (error) {
  process.stderr.write(`${SERVICE}: ${inspect(error)}\n`);
  process.exit(1);
}
