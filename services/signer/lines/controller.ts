// Leads: a line for each kind of request and one for the issuers work while this replica holds the Lease. Wires them together, and
// takes changes of issuers to the lines that they concern.

import { type Issuer, isSameToRequests } from '@countersign/common/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { Leadership } from '@countersign/common/runtime/controller/leadership.ts';
import type { FormerLeader } from '@countersign/common/runtime/controller/lease-object.ts';
import { IssuerCache } from '@countersign/common/runtime/reflector/issuer-cache.ts';
import { problemsOf, refreshStale } from '@countersign/common/runtime/reflector/reflector-health.ts';
import { formatSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import { CertManagerPresence } from '../issuer-status/cert-manager-presence.ts';
import { ConstraintPublisher } from '../issuer-status/constraint-publisher.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import { SecretReader } from '../secret-reader.ts';
import { BundleLine } from './bundle-line.ts';
import type { ControllerOptions } from './controller-options.ts';
import { IssuerLine } from './issuer-line.ts';
import type { LineDeps } from './line-deps.ts';
import { RequestLine } from './request-line.ts';

/** A Secret that goes bad wakes no one as long as nothing is signed with it, so issuers are looked at now and then. */
const RECHECK_ISSUERS_MS = 60_000;
/** Events are gone after an hour (kube-apiserver's --event-ttl): what still waits then is to have its reason again. */
const EMIT_AGAIN_MS = 900_000;
/** How long it is asked after writes that were never answered when leadership ends, of the pod's grace period. */
const SETTLE_MS = 2_000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #issuers: IssuerCache;
  readonly #events: EventRecorder;
  readonly #secrets: SecretReader;
  readonly #presence: CertManagerPresence;
  readonly #requestLines: readonly RequestLine<RequestRecord>[];
  readonly #issuerLine: IssuerLine;
  readonly #constraints: ConstraintPublisher | undefined;
  readonly #bundles: BundleLine | undefined;
  /** Of this replica; undefined before it leads. */
  #leadership: Leadership | undefined;

  constructor(options: ControllerOptions) {
    const { client, log, metrics, workers } = options;
    this.#options = options;
    this.#events = new EventRecorder(client, log, () => this.#requestLines.some(line => line.isLoaded));
    this.#secrets = new SecretReader(client);
    this.#presence = new CertManagerPresence(client, log, () => new Date());
    this.#issuers = new IssuerCache({
      client,
      log,
      metrics: metrics.reflector,
      onChange: (ref, now, before) => this.#onIssuer(ref, now, before),
    });
    const shared = this.#share();
    const recheckIssuer = (ref: SignerRef) => this.#issuerLine.add(ref);
    this.#constraints = createPublisher(shared, options.constraintsNamespace, recheckIssuer);
    const constraints = this.#constraints;
    const { trustBundles } = options;
    const bundles = trustBundles && new BundleLine(shared, trustBundles, recheckIssuer);
    this.#bundles = bundles;
    this.#issuerLine = new IssuerLine(shared, { constraints, bundles, mayWrite: () => this.#mayWriteReadiness() });
    this.#requestLines = options.kinds.map(kind => new RequestLine(shared, { kind, workers, recheckIssuer, bundles }));
  }

  /** Keeps the view of the cluster up to date until the signal, leading or not. */
  async watch(signal: AbortSignal): Promise<void> {
    const presence =
      this.#options.issuerStatus === 'auto' ? this.#presence.run(signal, () => this.#addIssuers()) : null;
    const reflectors = [...this.#reflectors, ...(this.#bundles ? [this.#bundles.reflector] : [])];
    await Promise.all([...reflectors.map(reflector => reflector.run(signal)), presence]);
  }

  /**
   * Signs until the signal. Does not wait for the whole list of requests, which may be long: each is looked at as it comes. What
   * `former` may have left unreported is reported.
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
      ...this.#requestLines.map(line => line.lead(signal, former)),
      this.#issuerLine.run(signal),
      this.#secrets.run(signal),
      this.#constraints?.run(signal),
      this.#bundles?.whenListed(signal).then(() => this.#addIssuers()),
    ]);
    clearInterval(recheck);
    clearInterval(again);
    const settled = AbortSignal.timeout(SETTLE_MS);
    await Promise.all(this.#requestLines.map(line => line.settle(settled)));
    this.#options.metrics.leading(false);
  }

  /** Waits until all events are written, at most until the signal. */
  closeEvents(signal: AbortSignal): Promise<void> {
    return this.#events.close(signal);
  }

  /** Why this replica is not ready, one line each; empty when it is. */
  problems(): string[] {
    return problemsOf(this.#reflectors, Date.now());
  }

  /** Those without which nothing can be signed. */
  get #reflectors() {
    return [...this.#requestLines.map(({ reflector }) => reflector), ...this.#issuers.reflectors];
  }

  get #isLeading(): boolean {
    return this.#leadership?.mayWrite() === true;
  }

  #share(): LineDeps {
    const { client, log, metrics, settings } = this.#options;
    return {
      client,
      log,
      metrics,
      settings,
      events: this.#events,
      secrets: this.#secrets,
      findIssuer: ref => this.#issuers.find(ref),
      isLeading: () => this.#isLeading,
    };
  }

  #emitAgain(): void {
    for (const line of this.#requestLines) line.emitAgain();
  }

  #addIssuers(): void {
    if (!this.#isLeading) return;
    for (const ref of this.#issuers.all()) this.#issuerLine.add(ref);
    for (const ref of this.#bundles?.issuers() ?? []) this.#issuerLine.add(ref);
  }

  #onIssuer(ref: SignerRef, now: Issuer | undefined, before: Issuer | undefined): void {
    if (now === undefined && before !== undefined) this.#issuerLine.forget(ref, before.metadata.uid);
    if (!this.#isLeading) return;
    this.#issuerLine.add(ref);
    if (isSameToRequests(before, now)) return;
    for (const line of this.#requestLines) line.wakeFor(formatSignerName(ref), now);
  }

  #mayWriteReadiness(): boolean {
    const { issuerStatus } = this.#options;
    const isOurs = issuerStatus === 'always' || (issuerStatus === 'auto' && !this.#presence.isPresent);
    return isOurs && this.#isLeading;
  }
}

function createPublisher(
  { client, log, findIssuer, isLeading }: LineDeps,
  namespace: string | undefined,
  recheck: (ref: SignerRef) => void,
): ConstraintPublisher | undefined {
  if (namespace === undefined) return undefined;
  return new ConstraintPublisher({ client, log, findIssuer, namespace, recheck, mayWrite: isLeading });
}
