// Turns changes in the cluster into keys of two queues, one of CSRs and one of issuers, and works on them while this replica
// leads. Level-based: a key says where to look, never what happened.

import { isApproved } from '@countersign/common/csr.ts';
import { type Issuer, isSameToRequests, issuerType } from '@countersign/common/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import type { Logger } from '@countersign/common/runtime/log.ts';
import { formatSignerName, parseSignerName, type SignerRef, tenantOf } from '@countersign/common/signer-name.ts';
import { csrWaiter } from './apply.ts';
import { CertManagerPresence } from './cert-manager-presence.ts';
import { ClusterView } from './cluster-view.ts';
import { ConstraintPublisher } from './constraint-publisher.ts';
import type { ControllerOptions } from './controller-options.ts';
import type { CsrRecord } from './csr-record.ts';
import { EventRecorder } from './event-recorder.ts';
import { issuerWaiter, reconcileReadiness } from './issuer-readiness.ts';
import type { Leadership } from './leadership.ts';
import type { FormerLeader } from './lease-object.ts';
import { type ReconcileDeps, reconcile, settleUnanswered } from './reconcile.ts';
import { retryDelay } from './retry-policy.ts';
import { SecretReader } from './secret-reader.ts';
import { UnansweredWrites } from './unanswered-writes.ts';
import { Unreported } from './unreported.ts';
import { type Work, WorkQueue } from './work-queue.ts';

/** A Secret that goes bad wakes nobody as long as nothing is signed with it, so issuers are looked at now and then. */
const RECHECK_ISSUERS_MS = 60_000;
/** Events are gone after an hour (kube-apiserver's --event-ttl): what still waits then is to have its reason again. */
const SAY_AGAIN_MS = 900_000;
const ISSUER_WORKERS = 4;
/** How long it is asked after writes that were never answered when the lead ends, of the pod's grace period. */
const SETTLE_MS = 2_000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #view: ClusterView;
  readonly #events: EventRecorder;
  readonly #secrets: SecretReader;
  readonly #presence: CertManagerPresence;
  readonly #constraints: ConstraintPublisher | undefined;
  readonly #unreported = new Unreported();
  readonly #csrQueue: WorkQueue;
  readonly #issuerQueue: WorkQueue;
  readonly #csrDeps: ReconcileDeps;
  /** Of this replica; undefined before it leads. */
  #leadership: Leadership | undefined;

  constructor(options: ControllerOptions) {
    const { client, log, metrics, writeCaAnnotation, constraintsNamespace: namespace } = options;
    this.#options = options;
    this.#events = new EventRecorder(client, log, () => this.#csrQueue.isLoaded);
    this.#secrets = new SecretReader(client);
    this.#presence = new CertManagerPresence(client, log, () => new Date());
    this.#view = new ClusterView({
      client,
      log,
      metrics: metrics.reflector,
      writeCaAnnotation,
      onCsr: (name, now, before) => this.#onCsr(name, now, before),
      onIssuer: (ref, now, before) => this.#onIssuer(ref, now, before),
    });
    const recheck = (signerName: string) => this.#issuerQueue.add(signerName);
    const publisherOptions = { ...this.#commonDeps(), mayWrite: () => this.#isLeading, recheck };
    if (namespace !== undefined) this.#constraints = new ConstraintPublisher({ ...publisherOptions, namespace });
    this.#csrDeps = this.#createCsrDeps();
    this.#csrQueue = this.#createQueue('csr', options.workers, (...run) => this.#workOnCsr(...run));
    this.#issuerQueue = this.#createQueue('issuer', ISSUER_WORKERS, this.#createIssuerWork());
  }

  /** Keeps the view of the cluster up to date until the signal, leading or not. */
  async watch(signal: AbortSignal): Promise<void> {
    const presence =
      this.#options.issuerStatus === 'auto' ? this.#presence.run(signal, () => this.#addIssuers()) : null;
    await Promise.all([this.#view.run(signal), presence]);
  }

  /**
   * Signs until the signal. Whatever is open is looked at first: events that came while another replica led are not kept. Does
   * not wait for the whole list of CSRs, which may be long: each is looked at as it comes. What `former` may have left
   * unreported is reported.
   */
  async lead(leadership: Leadership, former?: FormerLeader): Promise<void> {
    const { signal } = leadership;
    this.#options.metrics.leading(true);
    this.#view.refresh(Date.now());
    while (!this.#view.knowsIssuers && !signal.aborted) await pause(10, signal);
    this.#leadership = leadership;
    this.#addIssuers();
    for (const name of this.#view.openRequests.all()) this.#csrQueue.add(name);
    for (const name of this.#csrDeps.unanswered.names) this.#csrQueue.add(name);
    this.#csrQueue.addMany(this.#unreported.begin(former));
    const recheck = setInterval(() => this.#addIssuers(), RECHECK_ISSUERS_MS);
    const again = setInterval(() => this.#sayAgain(), this.#options.sayAgainMs ?? SAY_AGAIN_MS);
    const queues = [this.#csrQueue.run(signal), this.#issuerQueue.run(signal)];
    await Promise.all([...queues, this.#secrets.run(signal), this.#constraints?.run(signal)]);
    clearInterval(recheck);
    clearInterval(again);
    await settleUnanswered(this.#csrDeps, AbortSignal.timeout(SETTLE_MS));
    this.#options.metrics.leading(false);
  }

  /** Waits until all events are written, at most until the signal. */
  closeEvents(signal: AbortSignal): Promise<void> {
    return this.#events.close(signal);
  }

  /** Why this replica is not ready, one line each; empty when it is. */
  problems(): string[] {
    return this.#view.problems(Date.now());
  }

  /** False as soon as leadership is lost, while work in hand is finished. */
  get #isLeading(): boolean {
    return this.#leadership?.mayWrite() === true;
  }

  #addIssuers(): void {
    if (!this.#isLeading) return;
    for (const ref of this.#view.allIssuers()) this.#issuerQueue.add(formatSignerName(ref));
  }

  /** An event that is still there is written no second time: it has the same name. */
  #sayAgain(): void {
    for (const name of this.#view.openRequests.all()) {
      const csr = this.#view.findCsr(name);
      if (csr === undefined || !isApproved(csr)) continue;
      this.#events.forget(csr.metadata.uid ?? '');
      this.#csrQueue.add(name);
    }
  }

  #onCsr(name: string, now: CsrRecord | undefined, before: CsrRecord | undefined): void {
    if (before !== undefined && now?.metadata.uid !== before.metadata.uid)
      this.#csrDeps.unanswered.keepOnly(name, now?.metadata.uid);
    if (this.#unreported.update(name, now, before, this.#isLeading)) this.#csrQueue.addMany([name]);
    if (now === undefined || now.state === 'done') this.#forget(name, before?.metadata.uid);
    else if (this.#isLeading) this.#csrQueue.add(name);
  }

  #forget(name: string, uid = ''): void {
    this.#options.metrics.forgetWaiting(name);
    this.#secrets.stopWaiting(csrWaiter(name));
    this.#events.forget(uid);
  }

  #onIssuer(ref: SignerRef, now: Issuer | undefined, before: Issuer | undefined): void {
    if (now === undefined && before !== undefined) {
      this.#secrets.stopWaiting(issuerWaiter(ref));
      this.#options.metrics.noteEnd(ref, undefined);
      this.#events.forget(before.metadata.uid ?? '');
    }
    if (!this.#isLeading) return;
    const signerName = formatSignerName(ref);
    this.#issuerQueue.add(signerName);
    if (isSameToRequests(before, now)) return;
    // What is not approved yet waits for that alone, but its approver is warned of a SelfSigned issuer.
    const warnsApprover = now !== undefined && issuerType(now) === 'selfSigned';
    const named = [...this.#view.openRequests.namedBy(signerName)];
    this.#csrQueue.addMany(named.filter(name => warnsApprover || this.#isApproved(name)));
  }

  #isApproved(name: string): boolean {
    const csr = this.#view.findCsr(name);
    return csr !== undefined && isApproved(csr);
  }

  #createQueue(name: 'csr' | 'issuer', workers: number, work: Work): WorkQueue {
    const { log, metrics } = this.#options;
    return new WorkQueue({
      work,
      workers,
      shareOf: key => tenantOf(name === 'csr' ? (this.#view.findCsr(key)?.spec.signerName ?? '') : key),
      delayFor: retryDelay,
      observer: metrics.queue(name),
      onError: ({ error, ...run }) => {
        metrics.failed(name, error);
        if (name === 'csr') metrics.retrying(run.key, run.retryInMs !== undefined);
        log.warn({ err: error, queue: name, ...run }, 'work failed');
      },
    });
  }

  #createCsrDeps(): ReconcileDeps {
    return {
      ...this.#commonDeps(),
      findCsr: name => this.#view.findCsr(name),
      isLeading: () => this.#isLeading,
      unanswered: new UnansweredWrites(),
      unreported: this.#unreported,
      overwritten: new WeakSet(),
      requeue: name => this.#csrQueue.add(name),
      recheckIssuer: ref => this.#issuerQueue.add(formatSignerName(ref)),
      refused: error => this.#options.metrics.failed('csr', error),
      report: this.#options.metrics.reportOutcome,
    };
  }

  async #workOnCsr(name: string, attempt: number, reconcileId: string): Promise<void> {
    const uid = this.#view.findCsr(name)?.metadata.uid;
    await reconcile({ ...this.#csrDeps, log: this.#logOf(reconcileId) }, name, attempt);
    // It may have come to its end while it was in hand, and what was noted of it then would never be forgotten.
    if ((this.#view.findCsr(name)?.state ?? 'done') === 'done') this.#forget(name, uid);
  }

  /** All lines of a run carry its id, that of its failure too. */
  #logOf(reconcileId: string): Logger {
    return this.#options.log.child({ reconcileId });
  }

  #createIssuerWork(): Work {
    const deps = {
      ...this.#commonDeps(),
      constraints: this.#constraints,
      isLeading: () => this.#isLeading,
      mayWrite: () => this.#mayWriteReadiness(),
      requeue: (ref: SignerRef) => this.#issuerQueue.add(formatSignerName(ref)),
      noteEnd: this.#options.metrics.noteEnd,
    };
    return async (signerName, _, reconcileId) => {
      const ref = parseSignerName(signerName);
      if (ref.ok) await reconcileReadiness({ ...deps, log: this.#logOf(reconcileId) }, ref.value);
    };
  }

  #commonDeps() {
    return {
      ...this.#options,
      events: this.#events,
      secrets: this.#secrets,
      now: () => new Date(),
      findIssuer: (ref: SignerRef) => this.#view.findIssuer(ref),
      readSecret: this.#secrets.read.bind(this.#secrets),
      readSecretNow: this.#secrets.readNow.bind(this.#secrets),
    };
  }

  #mayWriteReadiness(): boolean {
    const { issuerStatus } = this.#options;
    const isOurs = issuerStatus === 'always' || (issuerStatus === 'auto' && !this.#presence.isPresent);
    return isOurs && this.#isLeading;
  }
}
