// Reconciles the issuers whose Ready condition this signer maintains: a queue of signer names, processed while this
// replica is the leader.

import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import {
  formatSignerName,
  type IssuerRef,
  parseSignerName,
  type SignerRef,
  tenantOf,
} from '@countersign/common/signer-name.ts';
import { type ReadinessDeps, reconcileReadiness } from '../issuer-status/issuer-readiness.ts';
import type { BundleController } from './bundle-controller.ts';
import type { ControllerDeps } from './controller-deps.ts';

/** A type that asks a server holds a worker until the answer. */
const WORKERS = 8;

/** What to do with the observed state of an issuer. */
interface Duties extends Pick<ReadinessDeps, 'constraints' | 'mayWrite'> {
  /** Undefined if no trust bundles are published. */
  readonly bundles: Pick<BundleController, 'reconcile' | 'forget'> | undefined;
}

export class IssuerController {
  readonly #shared: ControllerDeps;
  readonly #duties: Duties;
  readonly #queue: WorkQueue;

  constructor(shared: ControllerDeps, duties: Duties) {
    this.#shared = shared;
    this.#duties = duties;
    this.#queue = this.#createQueue();
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  add(ref: SignerRef): void {
    this.#queue.add(formatSignerName(ref));
  }

  forget(ref: IssuerRef, uid = ''): void {
    const { secrets, metrics, events } = this.#shared;
    secrets.stopWaiting(waiterOf(ref));
    metrics.recordCaExpiry(ref, undefined);
    events.forget(uid);
    this.#duties.bundles?.forget(ref);
  }

  #createQueue(): WorkQueue {
    const { log, metrics } = this.#shared;
    return new WorkQueue({
      work: (...run) => this.#work(...run),
      workers: new WorkerPool(WORKERS),
      shareOf: signerName => tenantOf(signerName),
      delayFor: retryDelay,
      observer: metrics.queue('issuer'),
      onError: ({ error, ...run }) => {
        metrics.failed('issuer', error);
        log.warn({ err: error, queue: 'issuer', ...run }, 'reconcile failed');
      },
    });
  }

  async #work(signerName: string, _: number, reconcileId: string): Promise<void> {
    const ref = parseSignerName(signerName);
    if (!ref.ok) return;
    // Neither is left undone because the other failed.
    const done = await Promise.allSettled([
      this.#keepReady(ref.value, reconcileId),
      this.#duties.bundles?.reconcile(ref.value, this.#shared.findIssuer(ref.value)),
    ]);
    const failed = done.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed !== undefined) throw failed.reason;
  }

  async #keepReady(ref: IssuerRef, reconcileId: string): Promise<void> {
    const { secrets, findIssuer } = this.#shared;
    const { onChange, afterMs } = await reconcileReadiness(this.#depsWith(reconcileId), ref, findIssuer(ref));
    if (onChange) secrets.wakeOnChange(onChange.ref, onChange.version, waiterOf(ref), () => this.add(ref));
    if (afterMs !== undefined) this.#queue.addAfter(formatSignerName(ref), afterMs);
  }

  #depsWith(reconcileId: string): ReadinessDeps {
    const { client, events, secrets, settings, metrics, log, isLeading } = this.#shared;
    return {
      client,
      events,
      secrets,
      settings,
      metrics,
      log: log.child({ reconcileId }),
      now: () => new Date(),
      constraints: this.#duties.constraints,
      mayWrite: this.#duties.mayWrite,
      isLeading,
    };
  }
}

/** Identifies an issuer among those that wait for a Secret. */
function waiterOf({ kind, namespace, name }: IssuerRef): string {
  return `${kind}/${namespace}/${name}`;
}
