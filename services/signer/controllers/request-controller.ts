// Reconciles one kind of request: a reflector that caches the records, and a queue of names processed while this
// replica is the leader. Level-based: a name says where to look, never what happened.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { FormerLeader } from '@countersign/common/runtime/controller/lease-object.ts';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import type { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import { isResourceServed } from '@countersign/common/runtime/kube/api-discovery.ts';
import { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import { type SignerRef, tenantOf } from '@countersign/common/signer-name.ts';
import { type ReconcileDeps, reconcile } from '../reconcile.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { RequestKind, RequestRecord } from '../requests/request-kind.ts';
import { settleWrites, toSubjectOf } from '../writes/fresh-read.ts';
import { OtherSigners } from '../writes/other-signers.ts';
import { Unreported } from '../writes/unreported.ts';
import { WriteLedger } from '../writes/write-ledger.ts';
import { type CarryOutDeps, carryOut, waiterOf } from './carry-out.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { OpenRequests } from './open-requests.ts';

/** How often to look for requests that another signer ended, in milliseconds. */
const CHECK_OTHERS_MS = 1_000;

export interface RequestControllerOptions<R extends RequestRecord> {
  readonly kind: RequestKind<R>;
  /** Shared with the other kinds of requests. */
  readonly workers: WorkerPool;
  /** Called when the Secret of an issuer is missing or invalid. */
  readonly recheckIssuer: (ref: SignerRef) => void;
  /** Undefined where no trust bundles are published. */
  readonly bundles: ReconcileDeps<R>['bundles'];
}

export class RequestController<R extends RequestRecord> {
  readonly reflector: Reflector<R>;
  readonly #shared: ControllerDeps;
  readonly #options: RequestControllerOptions<R>;
  readonly #open = new OpenRequests();
  readonly #queue: WorkQueue;
  readonly #metrics: RequestMetrics;
  readonly #deps: ReconcileDeps<R> & { readonly unreported: Unreported };
  readonly #carryOutDeps: CarryOutDeps;

  constructor(shared: ControllerDeps, options: RequestControllerOptions<R>) {
    this.#shared = shared;
    this.#options = options;
    const { client, log, metrics, settings } = shared;
    const { kind } = options;
    this.#metrics = metrics.requests[kind.name];
    this.reflector = new Reflector<R>({
      client,
      log,
      metrics: metrics.reflector,
      name: kind.resource,
      path: kind.collection,
      ...(kind.isOptional && { isServed: signal => isResourceServed(client, kind.collection, signal) }),
      transform: raw => kind.toRecord(raw, Date.now(), settings),
      onChange: (name, now, before) => this.#onChange(name, now, before),
    });
    this.#deps = this.#createDeps();
    this.#queue = this.#createQueue();
    this.#carryOutDeps = { ...shared, kind, queue: this.#queue, recheckIssuer: options.recheckIssuer };
  }

  /** Whether the queue is busy. */
  get isLoaded(): boolean {
    return this.#queue.isLoaded;
  }

  /**
   * Signs until the signal. Starts with every open request, since changes seen while another replica was leader are not
   * queued. Reports what `former` may have left unreported.
   */
  async lead(signal: AbortSignal, former: FormerLeader | undefined): Promise<void> {
    for (const name of this.#open.all()) this.#queue.add(name);
    for (const name of this.#deps.ledger.inDoubt) this.#queue.add(name);
    this.#queue.addMany(this.#deps.unreported.begin(former));
    this.#deps.others.begin();
    const check = setInterval(() => this.#queue.addMany(this.#deps.others.due()), CHECK_OTHERS_MS);
    await this.#queue.run(signal);
    clearInterval(check);
  }

  /** Looks for the outcome of unanswered writes, until the signal. */
  async settle(signal: AbortSignal): Promise<void> {
    for (const effect of await settleWrites(this.#deps, this.#shared.log, signal))
      carryOut(this.#carryOutDeps, '', effect);
  }

  /**
   * Requeues requests after an issuer change. Unapproved requests wait for approval alone, but their approver may have
   * to be warned.
   */
  wakeFor(signerName: string, issuer: Issuer | undefined): void {
    const warnsApprovers = issuer !== undefined && this.#options.kind.concernsApprovers(issuer);
    const named = [...this.#open.namedBy(signerName)];
    this.#queue.addMany(named.filter(name => warnsApprovers || this.#waitsForIssuer(name)));
  }

  /** Requeues approved requests after a change of the approval policies. */
  wakeForPolicies(): void {
    const { kind } = this.#options;
    const isConcerned = (name: string) => {
      const record = this.#find(name);
      return record !== undefined && kind.waitsForIssuer(record) && kind.askedOf(record) !== undefined;
    };
    this.#queue.addMany([...this.#open.all()].filter(isConcerned));
  }

  /** Requeues a request if it is open. */
  wake(name: string): void {
    if (openSigner(this.#options.kind, this.#find(name)) !== undefined) this.#queue.add(name);
  }

  /**
   * Records the reasons of waiting requests again, since events expire. An event that still exists is not
   * written twice.
   */
  emitAgain(): void {
    for (const name of this.#open.all()) {
      if (!this.#waitsForIssuer(name)) continue;
      this.#forgetEvents(this.#find(name));
      this.#queue.add(name);
    }
  }

  #find(name: string): R | undefined {
    return this.reflector.get(name);
  }

  #waitsForIssuer(name: string): boolean {
    const record = this.#find(name);
    return record !== undefined && this.#options.kind.waitsForIssuer(record);
  }

  #onChange(name: string, now: R | undefined, before: R | undefined): void {
    const { kind } = this.#options;
    this.#open.update(name, openSigner(kind, now), openSigner(kind, before));
    if (before !== undefined && now?.metadata.uid !== before.metadata.uid) {
      this.#deps.ledger.keepOnly(name, now?.metadata.uid);
    }
    const isLeading = this.#shared.isLeading();
    this.#deps.others.update(name, now, before, isLeading);
    if (this.#deps.unreported.update(name, now, before, isLeading)) this.#queue.addMany([name]);
    if (now === undefined || now.state === 'done') this.#forget(name, before);
    else if (isLeading) this.#queue.add(name);
  }

  #forget(name: string, record: R | undefined): void {
    this.#metrics.forgetWaiting(name);
    this.#shared.secrets.stopWaiting(waiterOf(this.#options.kind, name));
    this.#forgetEvents(record);
  }

  #forgetEvents(record: R | undefined): void {
    const subjects = record === undefined ? [] : this.#options.kind.subjectsOf(record);
    for (const { metadata } of subjects) this.#shared.events.forget(metadata.uid ?? '');
  }

  #createDeps(): ReconcileDeps<R> & { readonly unreported: Unreported } {
    const { client, events, secrets, settings, approvals, isLeading, findIssuer } = this.#shared;
    const ledger = new WriteLedger();
    return {
      client,
      events,
      secrets,
      settings,
      approvals,
      isLeading,
      kind: this.#options.kind,
      bundles: this.#options.bundles,
      reviews: new SharedAnswers<boolean>(this.#options.kind.sharesPermissionMs),
      view: { findIssuer, findRecord: name => this.#find(name) },
      ledger,
      unreported: new Unreported(),
      others: new OtherSigners(this.#options.kind, ledger),
      now: () => new Date(),
    };
  }

  #createQueue(): WorkQueue {
    const { log, metrics, settings } = this.#shared;
    const { kind, workers } = this.#options;
    const { externalIssuers } = settings.policy;
    return new WorkQueue({
      work: (...run) => this.#work(...run),
      workers,
      shareOf: name => `${kind.name}/${tenantOf(this.#signerNameOf(name), externalIssuers)}`,
      delayFor: retryDelay,
      observer: metrics.queue(kind.name),
      onError: ({ error, ...run }) => {
        metrics.failed(kind.name, error);
        this.#metrics.retrying(run.key, this.#issuerTypeOf(run.key), run.retryInMs !== undefined);
        log.warn({ err: error, queue: kind.name, ...run }, 'reconcile failed');
      },
    });
  }

  #signerNameOf(name: string): string {
    const record = this.#find(name);
    return record === undefined ? '' : this.#options.kind.signerNameOf(record);
  }

  #issuerTypeOf(name: string): string {
    const record = this.#find(name);
    return (record && toSubjectOf(this.#deps, record, this.#shared.log).handler?.type) ?? '';
  }

  /** Every log line of a reconcile carries its reconcileId, including that of a failure. */
  async #work(name: string, attempt: number, reconcileId: string): Promise<void> {
    const record = this.#find(name);
    const log = this.#shared.log.child({ reconcileId });
    const { effects, error } = await reconcile(this.#deps, { name, attempt, log });
    for (const effect of effects) carryOut(this.#carryOutDeps, name, effect);
    if (error !== undefined) throw error;
    // The request may have completed while it was being processed; what was recorded since would never be removed.
    if ((this.#find(name)?.state ?? 'done') === 'done') this.#forget(name, record);
  }
}

/** Returns the signer name if the request is still open. */
function openSigner<R extends RequestRecord>(kind: RequestKind<R>, record: R | undefined): string | undefined {
  return record === undefined || record.state === 'done' ? undefined : kind.signerNameOf(record);
}
