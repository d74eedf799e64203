// Leads: requests are evaluated and policies get their conditions while this replica holds the Lease. Level-based: a
// key says where to look, never what happened.

import { CSR_PATH } from '@countersign/common/csr.ts';
import type { RequestPolicy } from '@countersign/common/request-policy.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { Leadership } from '@countersign/common/runtime/controller/leadership.ts';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { readOwnUsername } from '@countersign/common/runtime/kube/own-username.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import { problemsOf, refreshStale } from '@countersign/common/runtime/reflector/reflector-health.ts';
import { tenantOf } from '@countersign/common/signer-name.ts';
import { type ApprovalRecord, toApprovalRecord } from './approval-record.ts';
import type { ApproverMetrics } from './metrics.ts';
import { PolicyController } from './policy-controller.ts';
import { type ReconcileDeps, reconcile } from './reconcile.ts';
import type { SignerScope } from './signer-scope.ts';

const QUEUE = 'csr';
/** Events expire after an hour (kube-apiserver's --event-ttl): what still waits then gets its reason again. */
const EMIT_AGAIN_MS = 900_000;
const IDENTITY_RETRY_MS = 2_000;
/** After a decision, the signer has work for the API server that is more urgent than the events of the approver. */
const EVENTS_WAIT_MS = 1_000;

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: ApproverMetrics;
  readonly scope: SignerScope;
  readonly requestPolicy: RequestPolicy;
  /** Number of requests to evaluate concurrently. */
  readonly workers: number;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #requests: Reflector<ApprovalRecord>;
  readonly #policies: PolicyController;
  readonly #queue: WorkQueue;
  readonly #events: EventRecorder;
  readonly #open = new Set<string>();
  /** Milliseconds of the monotonic clock. */
  #lastDecision = Number.NEGATIVE_INFINITY;
  #ownUsername: string | undefined;
  /** Of this replica; undefined before it leads. */
  #leadership: Leadership | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, log, metrics, scope } = options;
    this.#events = new EventRecorder(client, log, () => this.#queue.isLoaded || this.#hasJustDecided);
    this.#requests = new Reflector<ApprovalRecord>({
      client,
      log,
      metrics: metrics.reflector,
      name: 'certificatesigningrequests',
      path: CSR_PATH,
      transform: raw => toApprovalRecord(raw, scope),
      onChange: (name, now, before) => this.#onRequest(name, now, before),
    });
    const isLeading = () => this.#isLeading;
    this.#policies = new PolicyController({ ...options, isLeading, onChange: () => this.#queue.addMany(this.#open) });
    this.#queue = this.#createQueue();
  }

  /** Keeps the view of the cluster up to date until the signal, leading or not. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#learnOwnUsername(signal), ...this.#reflectors.map(reflector => reflector.run(signal))]);
  }

  /** Decides until the signal. Nothing is decided before all policies are known. */
  async lead(leadership: Leadership): Promise<void> {
    const { signal } = leadership;
    this.#options.metrics.leading(true);
    refreshStale(this.#reflectors, Date.now());
    while (!this.#canDecide && !signal.aborted) await pause(10, signal);
    this.#leadership = leadership;
    for (const name of this.#open) this.#queue.add(name);
    const again = setInterval(() => this.#emitAgain(), EMIT_AGAIN_MS);
    await Promise.all([this.#queue.run(signal), this.#policies.lead(signal)]);
    clearInterval(again);
    this.#options.metrics.leading(false);
  }

  /** Waits until all events are written, at most until the signal. */
  closeEvents(signal: AbortSignal): Promise<void> {
    return this.#events.close(signal);
  }

  /** Why this replica is not ready, one line each; empty if it is. */
  problems(): string[] {
    const identity = this.#ownUsername === undefined ? ['own user name: not known yet'] : [];
    return [...problemsOf(this.#reflectors, Date.now()), ...identity];
  }

  get #reflectors() {
    return [this.#requests, this.#policies.reflector] as const;
  }

  get #canDecide(): boolean {
    return this.#ownUsername !== undefined && this.#policies.reflector.hasSynced;
  }

  get #isLeading(): boolean {
    return this.#leadership?.mayWrite() === true;
  }

  get #hasJustDecided(): boolean {
    return performance.now() - this.#lastDecision < EVENTS_WAIT_MS;
  }

  async #learnOwnUsername(signal: AbortSignal): Promise<void> {
    const { client, log } = this.#options;
    while (this.#ownUsername === undefined && !signal.aborted) {
      try {
        this.#ownUsername = await readOwnUsername(client);
      } catch (error) {
        log.warn({ err: error }, 'cannot read own user name');
        await pause(IDENTITY_RETRY_MS, signal);
      }
    }
  }

  #onRequest(name: string, now: ApprovalRecord | undefined, before: ApprovalRecord | undefined): void {
    if (now?.state === 'open') {
      this.#open.add(name);
      if (this.#isLeading) this.#queue.add(name);
      return;
    }
    this.#open.delete(name);
    this.#options.metrics.forget(name);
    this.#events.forget(before?.metadata.uid ?? '');
  }

  /** An event that is still there is not written a second time. */
  #emitAgain(): void {
    for (const name of this.#open) this.#events.forget(this.#requests.get(name)?.metadata.uid ?? '');
    this.#queue.addMany(this.#open);
  }

  #createDeps(): ReconcileDeps {
    return {
      ...this.#options,
      events: this.#events,
      isLeading: () => this.#isLeading,
      now: () => new Date(),
      ownUsername: () => this.#ownUsername,
      findRecord: name => this.#requests.get(name),
      policies: () => this.#policies.policies(),
      readPolicies: () => this.#policies.read(),
    };
  }

  #createQueue(): WorkQueue {
    const { log, metrics, workers } = this.#options;
    const deps = this.#createDeps();
    return new WorkQueue({
      work: async (name, attempt, reconcileId) => {
        const outcome = await reconcile(deps, { name, attempt, log: log.child({ reconcileId }) });
        metrics.report(name, outcome);
        if (outcome.kind === 'approved') this.#lastDecision = performance.now();
        // It may have been decided or deleted meanwhile, and would be counted forever.
        if (!this.#open.has(name)) metrics.forget(name);
      },
      workers: new WorkerPool(workers),
      shareOf: name => tenantOf(this.#requests.get(name)?.spec.signerName ?? '', this.#options.scope.external),
      delayFor: retryDelay,
      observer: metrics.queue(QUEUE),
      onError: ({ error, ...run }) => {
        metrics.failed(QUEUE, error);
        metrics.retrying(run.key, run.retryInMs !== undefined);
        log.warn({ err: error, queue: QUEUE, ...run }, 'work failed');
      },
    });
  }
}
