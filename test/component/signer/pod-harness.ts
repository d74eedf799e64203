// A signer that reconciles one PodCertificateRequest at a time in an in-memory cluster, and what was reported about it.

import type { PodCertificateRequest } from '@countersign/common/pods/pod-certificate-request.ts';
import { DEFAULT_TERMS } from '@countersign/common/pods/pod-terms.ts';
import type { Effect } from '@countersign/signer/effect.ts';
import { createPodKind } from '@countersign/signer/requests/pod-certificate/pod-kind.ts';
import type { PodRecord } from '@countersign/signer/requests/pod-certificate/pod-record.ts';
import { DEFAULT_POD_POLICY } from '@countersign/signer/requests/pod-certificate/pod-requested-certificate.ts';
import { buildPodRequest } from '../../support/pod-request-builder.ts';
import { type HarnessOptions, ReconcileHarness } from './reconcile-harness.ts';

/** In the format of `asked`. */
export const POD_PATCH =
  'mergePatch /apis/certificates.k8s.io/v1/namespaces/team/podcertificaterequests/req-abcde/status?fieldManager=countersign-signer';

export class PodHarness extends ReconcileHarness<PodRecord> {
  request: PodCertificateRequest = buildPodRequest();

  constructor(options: HarnessOptions = {}) {
    super(createPodKind({ policy: DEFAULT_POD_POLICY, defaults: DEFAULT_TERMS }), options);
  }

  protected override get cached(): PodCertificateRequest {
    return this.request;
  }

  protected override get stored(): PodCertificateRequest {
    return this.request;
  }

  /** Reconciles once; rejects with the error to retry. */
  async run(): Promise<readonly Effect[]> {
    const { effects, error } = await this.reconcile(0);
    if (error !== undefined) throw error;
    return effects;
  }

  /** As `kind name reason`. */
  get events(): string[] {
    return this.#eventBodies.map(({ involvedObject: { kind, name }, reason }) => `${kind} ${name} ${reason}`);
  }

  /** Messages of the events, each once. */
  get messages(): string[] {
    return [...new Set(this.#eventBodies.map(({ message }) => message))];
  }

  /** The status in the only patch. */
  get status(): NonNullable<PodCertificateRequest['status']> | undefined {
    const patch = this.client.calls.find(({ verb }) => verb === 'mergePatch');
    return (patch?.body as PodCertificateRequest | undefined)?.status;
  }

  get #eventBodies(): EventBody[] {
    return this.client.calls.filter(({ path }) => path.endsWith('/events')).map(({ body }) => body as EventBody);
  }
}

interface EventBody {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly reason: string;
  readonly message: string;
}
