// Carries out what a reconcile asks its caller to do: wake-ups, checks of issuers, and counts. Decides nothing.

import type { WorkQueue } from '@countersign/common/runtime/controller/work-queue.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Effect } from '../effect.ts';
import type { SignerMetrics } from '../metrics.ts';
import type { RequestKindName } from '../requests/request-kind.ts';
import type { SecretReader } from '../secret-reader.ts';

export interface CarryOutDeps {
  readonly kind: { readonly name: RequestKindName };
  readonly queue: Pick<WorkQueue, 'add' | 'addAfter'>;
  readonly secrets: Pick<SecretReader, 'wakeOnChange'>;
  readonly metrics: Pick<SignerMetrics, 'failed' | 'requests' | 'countOtherSigner'>;
  readonly recheckIssuer: (ref: SignerRef) => void;
}

/** `name` is the request that was reconciled. */
export function carryOut({ kind, queue, secrets, metrics, recheckIssuer }: CarryOutDeps, name: string, effect: Effect) {
  switch (effect.kind) {
    case 'wake-on-secret':
      secrets.wakeOnChange(effect.ref, effect.version, waiterOf(kind, name), () => queue.add(name));
      break;
    case 'requeue-after':
      queue.addAfter(name, effect.afterMs);
      break;
    case 'recheck-issuer':
      recheckIssuer(effect.ref);
      break;
    case 'count-refusal':
      metrics.failed(kind.name, effect.error);
      break;
    case 'count-other-signer':
      metrics.countOtherSigner(effect.issuerType);
      break;
    case 'report':
      metrics.requests[kind.name].reportOutcome(effect.name, effect.outcome, effect.openMs);
  }
}

/** Identifies a request among those of all kinds that wait for Secrets. */
export function waiterOf(kind: CarryOutDeps['kind'], name: string): string {
  return `${kind.name}/${name}`;
}
