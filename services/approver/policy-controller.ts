// The approval policies: a reflector that compiles them, and a queue that writes their Ready conditions while this
// replica leads.

import type { CompiledPolicy } from '@countersign/common/approval/policy/compiled-policy.ts';
import type { PolicyRecord } from '@countersign/common/approval/policy/policy-record.ts';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import type { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import type { ApproverMetrics } from './metrics.ts';
import { writePolicyStatus } from './policy-status.ts';
import type { SignerScope } from './signer-scope.ts';

const QUEUE = 'policy';

export interface PolicyControllerOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: ApproverMetrics;
  readonly scope: SignerScope;
  readonly isLeading: () => boolean;
  /** Some policy is not the same any more: all requests need to be evaluated again. */
  readonly onChange: () => void;
}

export class PolicyController {
  readonly #cache: PolicyCache;
  readonly #options: PolicyControllerOptions;
  readonly #queue: WorkQueue;

  constructor(options: PolicyControllerOptions) {
    this.#options = options;
    const { client, log, metrics } = options;
    this.#cache = new PolicyCache({
      client,
      log,
      metrics: metrics.reflector,
      onChange: (name, now) => this.#onChange(name, now),
      onPolicies: () => this.#options.isLeading() && this.#options.onChange(),
    });
    this.#queue = this.#createQueue();
  }

  get reflector(): Reflector<PolicyRecord> {
    return this.#cache.reflector;
  }

  /** Undefined unless all policies are known. */
  policies(): readonly CompiledPolicy[] | undefined {
    return this.#cache.policies();
  }

  /** Reads all policies from the API server. */
  read(): Promise<readonly CompiledPolicy[]> {
    return this.#cache.read();
  }

  /** Writes conditions until the signal. */
  async lead(signal: AbortSignal): Promise<void> {
    for (const { metadata } of this.reflector.list()) this.#queue.add(metadata.name);
    await this.#queue.run(signal);
  }

  #onChange(name: string, now: PolicyRecord | undefined): void {
    const { metrics, isLeading } = this.#options;
    const all = [...this.reflector.list()];
    const invalid = all.filter(({ compiled }) => compiled.mistakes.length > 0).length;
    metrics.setPolicies(all.length - invalid, invalid);
    if (isLeading() && now !== undefined) this.#queue.add(name);
  }

  #createQueue(): WorkQueue {
    const { log, metrics } = this.#options;
    return new WorkQueue({
      work: name => this.#work(name),
      workers: new WorkerPool(1),
      delayFor: retryDelay,
      observer: metrics.queue(QUEUE),
      onError: ({ error, ...run }) => {
        metrics.failed(QUEUE, error);
        log.warn({ err: error, queue: QUEUE, ...run }, 'work failed');
      },
    });
  }

  async #work(name: string): Promise<void> {
    const record = this.reflector.get(name);
    if (record === undefined || !this.#options.isLeading()) return;
    await writePolicyStatus({ ...this.#options, now: () => new Date() }, record);
  }
}
