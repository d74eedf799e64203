// Determines whether cert-manager is running in the cluster, by the Lease that its controller renews. Polls rarely and
// never guesses: while the API server does not answer, the last answer stands.

import { Backoff, pause } from '@countersign/common/runtime/backoff.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';

/**
 * The Lease of cert-manager's controller, in the default namespace of its chart and in cert-manager's usual namespace.
 * Elsewhere (`global.leaderElection.namespace`) it is not detected.
 */
const LEASE_NAME = 'cert-manager-controller';
const LEASE_NAMESPACES = ['kube-system', 'cert-manager'];
const ASK_EVERY_MS = 30_000;
/** Until the first answer, for which issuers wait, with increasing intervals. */
const ASK_AGAIN = { minMs: 2_000, maxMs: ASK_EVERY_MS };

interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly renewTime?: string;
  };
}

export class CertManagerPresence {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #log: Logger;
  readonly #now: () => Date;
  #present: boolean | undefined;

  constructor(client: Pick<KubeClient, 'get'>, log: Logger, now: () => Date) {
    this.#client = client;
    this.#log = log;
    this.#now = now;
  }

  /**
   * Unknown counts as present: a condition that is not written for a while is better than one that two controllers
   * write in turn.
   */
  get isPresent(): boolean {
    return this.#present ?? true;
  }

  /**
   * Polls until the signal: first until there is an answer, then every 30 seconds. Calls `onChange` when the
   * answer changes.
   */
  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    const again = new Backoff(ASK_AGAIN);
    while (!signal.aborted) {
      const before = this.#present;
      await this.#ask();
      if (this.#present !== before) onChange();
      await pause(this.#present === undefined ? again.next() : ASK_EVERY_MS, signal);
    }
  }

  async #ask(): Promise<void> {
    try {
      const leases = await Promise.all(
        LEASE_NAMESPACES.map(namespace =>
          this.#client.get<Lease>(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${LEASE_NAME}`),
        ),
      );
      this.#present = leases.some(lease => lease !== undefined && isHeld(lease, this.#now()));
    } catch (error) {
      this.#log.warn({ err: error, lease: LEASE_NAME }, 'cannot determine whether cert-manager is running');
    }
  }
}

/** Allows twice the Lease duration, since the renewal time comes from another machine's clock. */
function isHeld({ spec }: Lease, now: Date): boolean {
  if (!spec?.holderIdentity || spec.renewTime === undefined) return false;
  return now.getTime() - Date.parse(spec.renewTime) < (spec.leaseDurationSeconds ?? 60) * 2_000;
}
