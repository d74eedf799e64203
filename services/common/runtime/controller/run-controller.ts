// Runs a controller as a process: serves health and metrics, leads while it holds the Lease, and drains in order at the
// stop signal. Never exits.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { ClusterClient } from '../kube/cluster-client.ts';
import type { ListenAddress } from '../options/listen-address.ts';
import { startHttpServer } from '../process/health-server.ts';
import { drain } from '../process/lifecycle.ts';
import type { Logger } from '../process/log.ts';
import { ApiContact, keepContact } from './api-contact.ts';
import { type Lead, LeaderLease } from './leader-lease.ts';
import { soleLeadership } from './leadership.ts';
import { leaseTiming } from './lease-timing.ts';

export interface ControllerProcess {
  /** Also the name of the Lease. */
  readonly service: string;
  readonly config: {
    readonly httpAddress: ListenAddress;
    readonly leaderElect: boolean;
    /** Milliseconds. */
    readonly leaseDuration: number;
  };
  readonly client: ClusterClient;
  readonly log: Logger;
  readonly registry: Registry;
  readonly controller: {
    /** Keeps the caches up to date until the signal, whether or not this replica is the leader. */
    watch(signal: AbortSignal): Promise<void>;
    lead(...args: Parameters<Lead>): Promise<void>;
    /** Why this replica is not ready; empty if it is. */
    problems(): readonly string[];
    closeEvents(signal: AbortSignal): Promise<void>;
  };
  /** A path that a replica without leader election reads to stay in contact with the API server. */
  readonly contactPath: string;
}

const DRAIN_DEADLINE_MS = 20_000;

/** Returns the exit code. */
export async function runController(setup: ControllerProcess, stop: AbortSignal): Promise<number> {
  const { config, client, log, registry, controller, contactPath: path } = setup;
  const contact = new ApiContact();
  const http = await startHttpServer({
    address: config.httpAddress,
    registry,
    isReady: () => (stop.aborted ? ['stopping'] : [...controller.problems(), ...contact.problems()]),
  });
  log.info({ port: http.port }, 'serving metrics and health');
  const leading = config.leaderElect
    ? [createLease(setup, contact).run(stop, (...args) => controller.lead(...args))]
    : [controller.lead(soleLeadership(stop), undefined), keepContact({ client, contact, log, path }, stop)];
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

function createLease({ service, config, client, log }: ControllerProcess, contact: ApiContact): LeaderLease {
  const { leaseDuration } = config;
  return new LeaderLease({
    log,
    contact,
    client: client.withTimeout(leaseTiming(leaseDuration).timeoutMs),
    namespace: client.namespace,
    name: service,
    identity: `${hostname()}_${randomUUID()}`,
    durationMs: leaseDuration,
  });
}
