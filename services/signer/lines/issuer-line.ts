// Reconciles the issuers whose Ready condition this signer maintains: a queue of signer names, processed while this
// replica is the leader.

import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import { formatSignerName, parseSignerName, type SignerRef, tenantOf } from '@countersign/common/signer-name.ts';
import { type ReadinessDeps, reconcileReadiness } from '../issuer-status/issuer-readiness.ts';
import type { LineDeps } from './line-deps.ts';

const WORKERS = 4;

/** What to do with the observed state of an issuer. */
type Duties = Pick<ReadinessDeps, 'constraints' | 'mayWrite'>;

export class IssuerLine {
  readonly #shared: LineDeps;
  readonly #duties: Duties;
  readonly #queue: WorkQueue;

  constructor(shared: LineDeps, duties: Duties) {
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

  forget(ref: SignerRef, uid = ''): void {
    const { secrets, metrics, events } = this.#shared;
    secrets.stopWaiting(waiterOf(ref));
    metrics.noteEnd(ref, undefined);
    events.forget(uid);
  }

  #createQueue(): WorkQueue {
    const { log, metrics } = this.#shared;
    return new WorkQueue({
      work: (...run) => this.#work(...run),
      workers: WORKERS,
      shareOf: tenantOf,
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
    const { secrets, findIssuer } = this.#shared;
    const change = await reconcileReadiness(this.#depsWith(reconcileId), ref.value, findIssuer(ref.value));
    if (change) secrets.wakeOnChange(change.ref, change.version, waiterOf(ref.value), () => this.add(ref.value));
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
      ...this.#duties,
      isLeading,
    };
  }
}

/** Identifies an issuer among those that wait for a Secret. */
function waiterOf({ kind, namespace, name }: SignerRef): string {
  return `${kind}/${namespace}/${name}`;
}
