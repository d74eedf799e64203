// The line of one kind of request: a reflector that keeps its records, a queue of their names, and the runs that work on them while
// this replica leads. Level-based: a name says where to look, never what happened.

import type { Issuer } from '@countersign/common/issuer.ts';
import type { FormerLeader } from '@countersign/common/runtime/controller/lease-object.ts';
import { retryDelay } from '@countersign/common/runtime/controller/retry-policy.ts';
import { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import { isResourceServed } from '@countersign/common/runtime/kube/api-discovery.ts';
import { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import { type SignerRef, tenantOf } from '@countersign/common/signer-name.ts';
import type { Effect } from '../effect.ts';
import { type ReconcileDeps, reconcile } from '../reconcile.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { RequestKind, RequestRecord } from '../requests/request-kind.ts';
import { SharedReviews } from '../shared-reviews.ts';
import { settleInDoubt } from '../writes/fresh-read.ts';
import { Unreported } from '../writes/unreported.ts';
import { WriteLedger } from '../writes/write-ledger.ts';
import type { LineDeps } from './line-deps.ts';
import { OpenRequests } from './open-requests.ts';

export interface RequestLineOptions<R extends RequestRecord> {
  readonly kind: RequestKind<R>;
  /** How many requests are worked on at a time. */
  readonly workers: number;
  /** The Secret of an issuer proved missing or bad. */
  readonly recheckIssuer: (ref: SignerRef) => void;
  /** Undefined where no trust bundles are published. */
  readonly bundles: ReconcileDeps<R>['bundles'];
}

export class RequestLine<R extends RequestRecord> {
  readonly reflector: Reflector<R>;
  readonly #shared: LineDeps;
  readonly #options: RequestLineOptions<R>;
  readonly #open = new OpenRequests();
  readonly #queue: WorkQueue;
  readonly #metrics: RequestMetrics;
  readonly #deps: ReconcileDeps<R> & { readonly unreported: Unreported };

  constructor(shared: LineDeps, options: RequestLineOptions<R>) {
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
  }

  /** Whether there is much to do. */
  get isLoaded(): boolean {
    return this.#queue.isLoaded;
  }

  /**
   * Signs until the signal. Whatever is open is looked at first: events that came while another replica led are not kept. What
   * `former` may have left unreported is reported.
   */
  async lead(signal: AbortSignal, former: FormerLeader | undefined): Promise<void> {
    for (const name of this.#open.all()) this.#queue.add(name);
    for (const name of this.#deps.ledger.inDoubt) this.#queue.add(name);
    this.#queue.addMany(this.#deps.unreported.begin(former));
    await this.#queue.run(signal);
  }

  /** Asks, until the signal, what has become of writes that were never answered. */
  async settle(signal: AbortSignal): Promise<void> {
    for (const effect of await settleInDoubt(this.#deps, this.#shared.log, signal)) this.#carryOut('', effect);
  }

  /** An issuer has changed. What is not approved yet waits for that alone, but its approver may have to be warned. */
  wakeFor(signerName: string, issuer: Issuer | undefined): void {
    const warnsApprovers = issuer !== undefined && this.#options.kind.concernsApprovers(issuer);
    const named = [...this.#open.namedBy(signerName)];
    this.#queue.addMany(named.filter(name => warnsApprovers || this.#waitsForIssuer(name)));
  }

  /** Events expire: what still waits is to have its reason again. One that is still there is not written a second time. */
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
    if (this.#deps.unreported.update(name, now, before, isLeading)) this.#queue.addMany([name]);
    if (now === undefined || now.state === 'done') this.#forget(name, before);
    else if (isLeading) this.#queue.add(name);
  }

  #forget(name: string, record: R | undefined): void {
    this.#metrics.forgetWaiting(name);
    this.#shared.secrets.stopWaiting(this.#keyOf(name));
    this.#forgetEvents(record);
  }

  #forgetEvents(record: R | undefined): void {
    const subjects = record === undefined ? [] : this.#options.kind.subjectsOf(record);
    for (const { metadata } of subjects) this.#shared.events.forget(metadata.uid ?? '');
  }

  /** Tells the request from those of other kinds, among those that wait. */
  #keyOf(name: string): string {
    return `${this.#options.kind.name}/${name}`;
  }

  #createDeps(): ReconcileDeps<R> & { readonly unreported: Unreported } {
    const { client, events, secrets, settings, isLeading, findIssuer } = this.#shared;
    return {
      client,
      events,
      secrets,
      settings,
      isLeading,
      kind: this.#options.kind,
      bundles: this.#options.bundles,
      reviews: new SharedReviews(this.#options.kind.sharesPermissionMs),
      view: { findIssuer, findRecord: name => this.#find(name) },
      ledger: new WriteLedger(),
      unreported: new Unreported(),
      now: () => new Date(),
    };
  }

  #createQueue(): WorkQueue {
    const { log, metrics } = this.#shared;
    const { kind, workers } = this.#options;
    return new WorkQueue({
      work: (...run) => this.#work(...run),
      workers,
      shareOf: name => tenantOf(this.#signerNameOf(name)),
      delayFor: retryDelay,
      observer: metrics.queue(kind.name),
      onError: ({ error, ...run }) => {
        metrics.failed(kind.name, error);
        this.#metrics.retrying(run.key, run.retryInMs !== undefined);
        log.warn({ err: error, queue: kind.name, ...run }, 'work failed');
      },
    });
  }

  #signerNameOf(name: string): string {
    const record = this.#find(name);
    return record === undefined ? '' : this.#options.kind.signerNameOf(record);
  }

  /** All lines of the log of a run carry its id, that of its failure too. */
  async #work(name: string, attempt: number, reconcileId: string): Promise<void> {
    const record = this.#find(name);
    const log = this.#shared.log.child({ reconcileId });
    const { effects, error } = await reconcile(this.#deps, { name, attempt, log });
    for (const effect of effects) this.#carryOut(name, effect);
    if (error !== undefined) throw error;
    // It may have come to its end while it was in hand, and what was noted of it then would never be forgotten.
    if ((this.#find(name)?.state ?? 'done') === 'done') this.#forget(name, record);
  }

  #carryOut(name: string, effect: Effect): void {
    const { secrets, metrics } = this.#shared;
    const { kind, recheckIssuer } = this.#options;
    switch (effect.kind) {
      case 'wake-on-secret':
        secrets.wakeOnChange(effect.ref, effect.version, this.#keyOf(name), () => this.#queue.add(name));
        break;
      case 'look-again':
        this.#queue.addAfter(name, effect.afterMs);
        break;
      case 'recheck-issuer':
        recheckIssuer(effect.ref);
        break;
      case 'count-refusal':
        metrics.failed(kind.name, effect.error);
        break;
      case 'report':
        this.#metrics.reportOutcome(effect.name, effect.outcome, effect.openMs);
    }
  }
}

/** The signer name of a request that may still have to be worked on. */
function openSigner<R extends RequestRecord>(kind: RequestKind<R>, record: R | undefined): string | undefined {
  return record === undefined || record.state === 'done' ? undefined : kind.signerNameOf(record);
}
