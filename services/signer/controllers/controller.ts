// Runs one controller per kind of request and one for issuers while this replica holds the Lease. Wires them together
// and forwards issuer changes to them.

import { describeExternal } from '@countersign/common/issuers/external-issuer.ts';
import { type Issuer, isEquivalentForRequests } from '@countersign/common/issuers/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { Leadership } from '@countersign/common/runtime/controller/leadership.ts';
import type { FormerLeader } from '@countersign/common/runtime/controller/lease-object.ts';
import { WorkerPool } from '@countersign/common/runtime/controller/worker-pool.ts';
import { IssuerCache } from '@countersign/common/runtime/reflector/issuer-cache.ts';
import type { PolicyCache } from '@countersign/common/runtime/reflector/policy-cache.ts';
import { problemsOf, refreshStale } from '@countersign/common/runtime/reflector/reflector-health.ts';
import { formatSignerName, type IssuerRef, type SignerRef } from '@countersign/common/signer-name.ts';
import { CertManagerPresence } from '../issuer-status/cert-manager-presence.ts';
import { ConstraintPublisher } from '../issuer-status/constraint-publisher.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import { BundleController } from './bundle-controller.ts';
import type { ControllerDeps } from './controller-deps.ts';
import type { ControllerOptions } from './controller-options.ts';
import { IssuerController } from './issuer-controller.ts';
import { RequestController } from './request-controller.ts';

/**
 * A Secret that becomes invalid wakes nothing until something is signed with it, so issuers are rechecked periodically.
 */
const RECHECK_ISSUERS_MS = 60_000;
/** Events expire after an hour (kube-apiserver's --event-ttl): requests that still wait get theirs again. */
const EMIT_AGAIN_MS = 900_000;
/** When leadership ends, how long to look for the outcome of unanswered writes; part of the pod's grace period. */
const SETTLE_MS = 2_000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #issuers: IssuerCache;
  readonly #events: EventRecorder;
  readonly #approvals: PolicyCache | undefined;
  readonly #presence: CertManagerPresence;
  readonly #requestControllers: readonly RequestController<RequestRecord>[];
  readonly #issuerController: IssuerController;
  readonly #constraints: ConstraintPublisher | undefined;
  readonly #bundles: BundleController | undefined;
  /** This replica's leadership; undefined before it becomes leader. */
  #leadership: Leadership | undefined;

  constructor(options: ControllerOptions) {
    const { client, log, metrics } = options;
    this.#options = options;
    this.#events = new EventRecorder(client, log, () => this.#requestControllers.some(each => each.isLoaded));
    this.#presence = new CertManagerPresence(client, log, () => new Date());
    this.#issuers = new IssuerCache({
      client,
      log,
      metrics: metrics.reflector,
      onChange: (ref, now, before) => this.#onIssuer(ref, now, before),
    });
    this.#approvals = this.#createPolicyCache();
    const shared = this.#share();
    const recheckIssuer = (ref: SignerRef) => this.#issuerController.add(ref);
    this.#constraints = createPublisher(shared, options.constraintsNamespace, recheckIssuer);
    const constraints = this.#constraints;
    const { trustBundles } = options;
    const bundles = trustBundles && new BundleController(shared, trustBundles, recheckIssuer);
    this.#bundles = bundles;
    this.#issuerController = new IssuerController(shared, {
      constraints,
      bundles,
      mayWrite: () => this.#mayWriteReadiness(),
    });
    const workers = new WorkerPool(options.workers);
    this.#requestControllers = options.kinds.map(
      kind => new RequestController(shared, { kind, workers, recheckIssuer, bundles }),
    );
  }

  /** Keeps the caches up to date until the signal, whether or not this replica is the leader. */
  async watch(signal: AbortSignal): Promise<void> {
    const presence =
      this.#options.issuerStatus === 'auto' ? this.#presence.run(signal, () => this.#addIssuers()) : null;
    const reflectors = [...this.#reflectors, ...(this.#bundles ? [this.#bundles.reflector] : [])];
    const wakers = this.#options.wakers ?? [];
    await Promise.all([
      ...reflectors.map(reflector => reflector.run(signal)),
      ...wakers.map(waker => waker.run(signal, name => this.#wake(name))),
      presence,
    ]);
  }

  /**
   * Signs until the signal. Does not wait for the whole list of requests, which may be long: each is processed as it
   * arrives. Reports what `former` may have left unreported.
   */
  async lead(leadership: Leadership, former?: FormerLeader): Promise<void> {
    const { signal } = leadership;
    this.#options.metrics.leading(true);
    refreshStale(this.#reflectors, Date.now());
    while (!this.#issuers.hasSynced && !signal.aborted) await pause(10, signal);
    this.#leadership = leadership;
    this.#addIssuers();
    const recheck = setInterval(() => this.#addIssuers(), RECHECK_ISSUERS_MS);
    const again = setInterval(() => this.#emitAgain(), this.#options.emitAgainMs ?? EMIT_AGAIN_MS);
    await Promise.all([
      ...this.#requestControllers.map(each => each.lead(signal, former)),
      this.#issuerController.run(signal),
      this.#options.secrets.run(signal),
      this.#constraints?.run(signal),
      this.#bundles?.whenListed(signal).then(() => this.#addIssuers()),
    ]);
    clearInterval(recheck);
    clearInterval(again);
    const settled = AbortSignal.timeout(SETTLE_MS);
    await Promise.all(this.#requestControllers.map(each => each.settle(settled)));
    this.#options.metrics.leading(false);
  }

  /** Waits until all events are written, or until the signal. */
  closeEvents(signal: AbortSignal): Promise<void> {
    return this.#events.close(signal);
  }

  /** Returns why this replica is not ready, one line per cause; empty if it is ready. */
  problems(): string[] {
    return problemsOf(this.#reflectors, Date.now());
  }

  /** Those without which nothing can be signed. */
  get #reflectors() {
    const policies = this.#approvals ? [this.#approvals.reflector] : [];
    return [...this.#requestControllers.map(({ reflector }) => reflector), ...this.#issuers.reflectors, ...policies];
  }

  get #isLeading(): boolean {
    return this.#leadership?.mayWrite() === true;
  }

  #share(): ControllerDeps {
    const { client, log, metrics, secrets, settings } = this.#options;
    return {
      client,
      log,
      metrics,
      settings,
      events: this.#events,
      secrets,
      approvals: this.#approvals,
      findIssuer: ref => (ref.external === undefined ? this.#issuers.find(ref) : describeExternal(ref)),
      isLeading: () => this.#isLeading,
    };
  }

  #createPolicyCache(): PolicyCache | undefined {
    const { client, log, metrics, createPolicyCache } = this.#options;
    const onPolicies = () => {
      if (this.#isLeading) for (const each of this.#requestControllers) each.wakeForPolicies();
    };
    return createPolicyCache?.({ client, log, metrics: metrics.reflector, onPolicies });
  }

  #wake(name: string): void {
    if (this.#isLeading) for (const each of this.#requestControllers) each.wake(name);
  }

  #emitAgain(): void {
    for (const each of this.#requestControllers) each.emitAgain();
  }

  #addIssuers(): void {
    if (!this.#isLeading) return;
    for (const ref of this.#issuers.all()) this.#issuerController.add(ref);
    for (const ref of this.#bundles?.issuers() ?? []) this.#issuerController.add(ref);
  }

  #onIssuer(ref: IssuerRef, now: Issuer | undefined, before: Issuer | undefined): void {
    if (now === undefined && before !== undefined) this.#issuerController.forget(ref, before.metadata.uid);
    if (!this.#isLeading) return;
    this.#issuerController.add(ref);
    if (isEquivalentForRequests(before, now)) return;
    for (const each of this.#requestControllers) each.wakeFor(formatSignerName(ref), now);
  }

  #mayWriteReadiness(): boolean {
    const { issuerStatus } = this.#options;
    const isOurs = issuerStatus === 'always' || (issuerStatus === 'auto' && !this.#presence.isPresent);
    return isOurs && this.#isLeading;
  }
}

function createPublisher(
  { client, log, findIssuer, isLeading }: ControllerDeps,
  namespace: string | undefined,
  recheck: (ref: SignerRef) => void,
): ConstraintPublisher | undefined {
  if (namespace === undefined) return undefined;
  return new ConstraintPublisher({ client, log, findIssuer, namespace, recheck, mayWrite: isLeading });
}
