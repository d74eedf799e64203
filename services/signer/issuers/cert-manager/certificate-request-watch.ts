// Watches the CertificateRequests that Countersign created, and wakes the request that each was created for. Caches
// only what leads to the request: anyone who may create CertificateRequests can set the label.

import { keepText } from '@countersign/common/bounded-text.ts';
import { keepIdentity, type ObjectMeta } from '@countersign/common/csr.ts';
import { isResourceServed } from '@countersign/common/runtime/kube/api-discovery.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { Reflector, type ReflectorMetrics } from '@countersign/common/runtime/reflector/reflector.ts';
import { type CertificateRequest, COLLECTION, OWN_LABEL } from './certificate-request.ts';

interface Seen {
  readonly metadata: ObjectMeta;
  /** metadata.name of the request. */
  readonly requestName: string;
}

const MAX_NAME = 253;

export interface WatchOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  readonly log: Logger;
  readonly metrics: ReflectorMetrics;
}

export class CertificateRequestWatch {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #reflector: Reflector<Seen>;
  #wake: (requestName: string) => void = () => undefined;

  constructor({ client, log, metrics }: WatchOptions) {
    this.#client = client;
    this.#reflector = new Reflector<Seen>({
      client,
      log,
      metrics,
      name: 'certificaterequests',
      path: `${COLLECTION}?labelSelector=${encodeURIComponent(`${OWN_LABEL}=true`)}`,
      isServed: signal => isResourceServed(client, COLLECTION, signal),
      transform: toSeen,
      onChange: (_, now, before) => this.#wake((now ?? before)?.requestName ?? ''),
    });
  }

  /** Until the signal. `wake` is called with the name of a request whenever its CertificateRequest changes. */
  run(signal: AbortSignal, wake: (requestName: string) => void): Promise<void> {
    this.#wake = wake;
    return this.#reflector.run(signal);
  }

  /** Whether it exists, as far as is known; `place` is `<namespace>/<name>`. */
  has(place: string): boolean {
    return this.#reflector.get(place) !== undefined;
  }

  /** Whether the API server has CertificateRequests now. If it has them only now, they are watched from now on. */
  async isServed(signal: AbortSignal): Promise<boolean> {
    const isServed = await isResourceServed(this.#client, COLLECTION, signal);
    if (isServed) this.noteServed();
    return isServed;
  }

  /** The API server has CertificateRequests: watches them at once, if it did not have them before. */
  noteServed(): void {
    if (this.#reflector.isAbsent) this.#reflector.relist();
  }
}

function toSeen(raw: unknown): Seen {
  const { metadata } = raw as CertificateRequest;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  return { metadata: keepIdentity(metadata), requestName: keepText(owner?.name ?? '', MAX_NAME) };
}
