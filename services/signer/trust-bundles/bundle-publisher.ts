// Writes the trust bundles of issuers, and nothing else: one write for a change, only while this replica leads. What
// the API server refuses is reported on the issuer and thrown, so that the caller tries again.

import type { EventSubject } from '@countersign/common/runtime/controller/event-object.ts';
import type { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { asClassifiedError, RetryableError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { FIELD_MANAGER } from '../field-manager.ts';
import type { CaAnchors } from './anchors.ts';
import { type BundlePlan, type BundleWrite, planBundle, planOrphan } from './bundle-change.ts';
import { bundleEvents, failureEvents, recordAll } from './bundle-events.ts';
import type { BundleMetrics, BundleWriteResult } from './bundle-metrics.ts';
import { BUNDLES_PATH, bundleName, bundlePath, type TrustBundle } from './bundle-object.ts';
import type { Clock, DesiredBundle } from './desired-bundle.ts';

export interface BundlePublisherDeps {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'mergePatch' | 'remove'>;
  readonly log: Logger;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: Pick<BundleMetrics, 'written' | 'note'>;
  readonly now: () => Date;
  readonly keepRetiredMs: number;
  /** The bundle as it is cached, which may be old. */
  readonly findBundle: (name: string) => TrustBundle | undefined;
  readonly mayWrite: () => boolean;
}

/** An issuer that has a bundle; `found` is undefined while its Secret cannot be used. */
export interface PublishedIssuer {
  readonly ref: SignerRef;
  readonly subject: EventSubject;
  readonly found: CaAnchors | undefined;
}

/** The bundle is not what was read a moment before: the next attempt reads it again. */
const CHANGED: ReadonlySet<string> = new Set(['conflict', 'not-found', 'already-exists']);

export class BundlePublisher {
  readonly #deps: BundlePublisherDeps;

  constructor(deps: BundlePublisherDeps) {
    this.#deps = deps;
  }

  async publish(issuer: PublishedIssuer): Promise<void> {
    const { ref, found } = issuer;
    const { events } = this.#deps;
    try {
      const desired = await this.#write(ref, (bundle, clock) => planBundle(ref, bundle, found?.anchors, clock));
      recordAll(events, issuer.subject, bundleEvents(found, desired));
    } catch (error) {
      recordAll(events, issuer.subject, failureEvents(error));
      throw error;
    }
  }

  /** The issuer is gone, or has no bundle any more. */
  async orphan(ref: SignerRef): Promise<void> {
    if (this.#deps.findBundle(bundleName(ref)) === undefined) return this.#deps.metrics.note(ref, undefined);
    await this.#write(ref, (bundle, clock) => planOrphan(ref, bundle, clock));
  }

  /** Asks the cache first, and the API server only if there is something to write. Gives what the bundle is then. */
  async #write(
    ref: SignerRef,
    plan: (bundle: TrustBundle | undefined, clock: Clock) => BundlePlan,
  ): Promise<DesiredBundle | undefined> {
    const { client, findBundle, metrics, now, keepRetiredMs, mayWrite } = this.#deps;
    const clock = { now: now(), keepRetiredMs };
    let planned = plan(findBundle(bundleName(ref)), clock);
    if (planned.write !== undefined) planned = plan(await client.get<TrustBundle>(bundlePath(ref)), clock);
    metrics.note(ref, planned.desired);
    if (planned.write === undefined) return planned.desired;
    // The read may have taken long: another replica may lead by now.
    if (!mayWrite()) return undefined;
    await this.#send(ref, planned.write);
    this.#logWrite(ref, planned);
    return planned.desired;
  }

  #logWrite(ref: SignerRef, { desired, write }: BundlePlan): void {
    const fields = { trustBundle: bundleName(ref), current: desired?.current.length, retired: desired?.retired.length };
    this.#deps.log.info(fields, write?.kind === 'delete' ? 'trust bundle deleted' : 'trust bundle written');
  }

  async #send(ref: SignerRef, write: BundleWrite): Promise<void> {
    const { metrics } = this.#deps;
    try {
      metrics.written(await this.#sendOne(ref, write));
    } catch (error) {
      const { code, message } = asClassifiedError(error);
      metrics.written(CHANGED.has(code) ? 'conflict' : 'failed');
      throw CHANGED.has(code) ? new RetryableError(message, { code: 'conflict', cause: error }) : error;
    }
  }

  async #sendOne(ref: SignerRef, write: BundleWrite): Promise<BundleWriteResult> {
    const { client, mayWrite } = this.#deps;
    const query = `fieldManager=${FIELD_MANAGER}`;
    switch (write.kind) {
      case 'create':
        await client.create(`${BUNDLES_PATH}?${query}`, write.body);
        return 'created';
      case 'patch':
        await client.mergePatch(`${bundlePath(ref)}?${query}`, write.body, mayWrite);
        return 'updated';
      case 'delete':
        await client.remove(bundlePath(ref), write.preconditions);
        return 'deleted';
    }
  }
}
