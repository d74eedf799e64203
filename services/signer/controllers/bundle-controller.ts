// The trust bundles of issuers while this replica leads: a reflector of those that are published, and what a reconcile
// of an issuer does about its own. IssuerController decides when.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { pause } from '@countersign/common/runtime/backoff.ts';
import { isResourceServed } from '@countersign/common/runtime/kube/api-discovery.ts';
import { Reflector } from '@countersign/common/runtime/reflector/reflector.ts';
import type { IssuerRef, SignerRef } from '@countersign/common/signer-name.ts';
import { reconcileBundle } from '../issuer-status/issuer-bundle.ts';
import type { ObservedSecret } from '../secret.ts';
import { BUNDLE_SELECTOR, BUNDLES_PATH, bundleIssuer, type TrustBundle } from '../trust-bundles/bundle-object.ts';
import { BundlePublisher } from '../trust-bundles/bundle-publisher.ts';
import { Publications } from '../trust-bundles/publications.ts';
import type { ControllerDeps } from './controller-deps.ts';

export interface TrustBundleSettings {
  readonly publish: 'all' | 'annotated';
  /** How long an anchor stays that its issuer no longer has, and a bundle whose issuer is gone. */
  readonly keepRetiredMs: number;
}

/** How long a new leader waits for the list of bundles: what is not listed by then, each issuer reads for itself. */
const LIST_WITHIN_MS = 5_000;

export class BundleController {
  readonly reflector: Reflector<TrustBundle>;
  readonly #shared: ControllerDeps;
  readonly #settings: TrustBundleSettings;
  readonly #recheck: (ref: SignerRef) => void;
  readonly #publications = new Publications();
  readonly #publisher: BundlePublisher;
  #hasWaited = false;

  /** `recheck` is called so that the issuer is looked at again. */
  constructor(shared: ControllerDeps, settings: TrustBundleSettings, recheck: (ref: SignerRef) => void) {
    this.#shared = shared;
    this.#settings = settings;
    this.#recheck = recheck;
    this.reflector = this.#createReflector();
    this.#publisher = this.#createPublisher();
  }

  /** The issuers of all bundles, those that are gone included. */
  *issuers(): Iterable<SignerRef> {
    for (const { metadata } of this.reflector.list()) {
      const ref = bundleIssuer(metadata.name);
      if (ref !== undefined) yield ref;
    }
  }

  /** Resolves once the bundles are known, or need not be waited for any longer. */
  async whenListed(signal: AbortSignal): Promise<void> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(LIST_WITHIN_MS)]);
    while (!this.#isListed && !deadline.aborted) await pause(10, deadline);
    this.#hasWaited = true;
    if (this.reflector.isAbsent) this.#publications.settleAll();
  }

  async reconcile(ref: IssuerRef, issuer: Issuer | undefined): Promise<void> {
    const { secrets, settings, isLeading } = this.#shared;
    if (this.reflector.isAbsent || !this.#hasWaited || !isLeading()) return;
    const { publish } = this.#settings;
    const [publisher, publications] = [this.#publisher, this.#publications];
    await reconcileBundle({ secrets, settings, publisher, publications, publish }, ref, issuer);
  }

  /**
   * Before something is signed with what is in the Secret: undefined when verifiers can know it, or nothing can
   * be done.
   */
  whenPublished(ref: SignerRef, { secret }: ObservedSecret): Promise<void> | undefined {
    const version = secret?.metadata.resourceVersion;
    if (this.reflector.isAbsent || version === undefined) return undefined;
    return this.#publications.whenSettled(ref, version, () => this.#recheck(ref));
  }

  forget(ref: SignerRef): void {
    this.#publications.forget(ref);
  }

  get #isListed(): boolean {
    return this.reflector.hasSynced || this.reflector.isAbsent;
  }

  #createReflector(): Reflector<TrustBundle> {
    const { client, log, metrics } = this.#shared;
    return new Reflector<TrustBundle>({
      client,
      log,
      metrics: metrics.reflector,
      name: 'clustertrustbundles',
      path: `${BUNDLES_PATH}?labelSelector=${encodeURIComponent(BUNDLE_SELECTOR)}`,
      isServed: signal => isResourceServed(client, BUNDLES_PATH, signal),
      onChange: name => this.#onChange(name),
    });
  }

  #onChange(name: string): void {
    const ref = bundleIssuer(name);
    if (ref !== undefined && this.#shared.isLeading()) this.#recheck(ref);
  }

  #createPublisher(): BundlePublisher {
    const { client, log, events, metrics, isLeading } = this.#shared;
    return new BundlePublisher({
      client,
      log,
      events,
      metrics: metrics.bundles,
      now: () => new Date(),
      keepRetiredMs: this.#settings.keepRetiredMs,
      findBundle: name => this.reflector.get(name),
      mayWrite: isLeading,
    });
  }
}
