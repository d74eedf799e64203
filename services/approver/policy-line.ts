// The approval policies: a reflector that compiles them, and a queue that writes their Ready conditions while this
// replica leads.

import { createCelCompiler } from '@countersign/common/approval/cel/cel-program.ts';
import { POLICY_PATH } from '@countersign/common/approval/policy/approval-policy.ts';
import type { CompiledPolicy } from '@countersign/common/approval/policy/compiled-policy.ts';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import type { ApproverMetrics } from './metrics.ts';
import { isSamePolicy, type PolicyRecord, toPolicyRecord } from './policy-record.ts';
import { writePolicyStatus } from './policy-status.ts';
import type { SignerScope } from './signer-scope.ts';

const QUEUE = 'policy';

export interface PolicyLineOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: ApproverMetrics;
  readonly scope: SignerScope;
  readonly isLeading: () => boolean;
  /** Some policy is not the same any more: all requests need to be evaluated again. */
  readonly onChange: () => void;
}

export class PolicyLine {
  readonly reflector: Reflector<PolicyRecord>;
  readonly #options: PolicyLineOptions;
  readonly #queue: WorkQueue;

  constructor(options: PolicyLineOptions) {
    this.#options = options;
    const { client, log, metrics } = options;
    const cel = createCelCompiler();
    this.reflector = new Reflector<PolicyRecord>({
      client,
      log,
      metrics: metrics.reflector,
      name: 'approvalpolicies',
      path: POLICY_PATH,
      transform: raw => toPolicyRecord(raw, cel),
      onChange: (name, now, before) => this.#onChange(name, now, before),
    });
    this.#queue = this.#createQueue();
  }

  /** undefined unless all policies are known: one that is missing could be one that denies. */
  policies(): readonly CompiledPolicy[] | undefined {
    const isKnown = this.reflector.hasSynced && this.reflector.isFresh(Date.now());
    return isKnown ? Array.from(this.reflector.list(), ({ compiled }) => compiled) : undefined;
  }

  /** Writes conditions until the signal. */
  async lead(signal: AbortSignal): Promise<void> {
    for (const { metadata } of this.reflector.list()) this.#queue.add(metadata.name);
    await this.#queue.run(signal);
  }

  #onChange(name: string, now: PolicyRecord | undefined, before: PolicyRecord | undefined): void {
    const { metrics, isLeading, onChange } = this.#options;
    const all = [...this.reflector.list()];
    const invalid = all.filter(({ compiled }) => compiled.mistakes.length > 0).length;
    metrics.setPolicies(all.length - invalid, invalid);
    if (!isLeading()) return;
    if (now !== undefined) this.#queue.add(name);
    if (!isSamePolicy(now, before)) onChange();
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
