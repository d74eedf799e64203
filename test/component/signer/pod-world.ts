// A cluster in a table with requests of pods, and one signer that works on them by single runs: what it asks of the API
// server is written down call by call. The parts that a run needs are the real ones.

import type { PodCertificateRequest } from '@countersign/common/pods/pod-certificate-request.ts';
import { DEFAULT_TERMS } from '@countersign/common/pods/pod-terms.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import type { Effect } from '@countersign/signer/effect.ts';
import { AS_CERT_MANAGER } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { type ReconcileDeps, reconcile } from '@countersign/signer/reconcile.ts';
import { createPodKind } from '@countersign/signer/requests/pod-certificate/pod-kind.ts';
import { type PodRecord, toPodRecord } from '@countersign/signer/requests/pod-certificate/pod-record.ts';
import { DEFAULT_POD_POLICY } from '@countersign/signer/requests/pod-certificate/pod-requested-certificate.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { OtherSigners } from '@countersign/signer/writes/other-signers.ts';
import { Unreported } from '@countersign/signer/writes/unreported.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { buildPodRequest } from '../../support/pod-request-builder.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { recordLog, TEST_LOG } from '../../support/test-log.ts';

const KIND = createPodKind({ policy: DEFAULT_POD_POLICY, defaults: DEFAULT_TERMS });

export class PodWorld {
  request: PodCertificateRequest = buildPodRequest();
  issuer = buildIssuer();
  mayReference = true;
  /** Throws to fail a call. */
  fault: (call: RecordedCall) => void = () => undefined;
  /** Milliseconds since 1970. */
  now = Date.parse('2026-11-24T12:00:00.789Z');
  readonly #logged = recordLog('info');
  /** What was logged, as fields. */
  readonly lines = this.#logged.lines;
  readonly client = new RecordingClient(call => this.#answer(call));
  readonly #events = new EventRecorder(this.client, TEST_LOG);
  readonly #deps: ReconcileDeps<PodRecord> = {
    client: this.client,
    events: this.#events,
    secrets: new SecretReader(this.client, () => 0),
    settings: {
      policy: AS_CERT_MANAGER,
      handlers: [createCaIssuer(), createSelfSignedIssuer()],
      clusterResourceNamespace: 'countersign',
      writeCaAnnotation: true,
    },
    kind: KIND,
    reviews: new SharedAnswers<boolean>(KIND.sharesPermissionMs, () => this.now),
    view: {
      findIssuer: () => this.issuer,
      findRecord: name => (name === keyOf(this.request.metadata) ? toPodRecord(this.request, this.now) : undefined),
    },
    isLeading: () => true,
    ledger: new WriteLedger(),
    unreported: new Unreported(),
    others: new OtherSigners(KIND, new WriteLedger()),
    now: () => new Date(this.now),
  };

  /** Rejects with what is tried again. */
  async run(): Promise<readonly Effect[]> {
    const run = { name: keyOf(this.request.metadata), attempt: 0, log: this.#logged.log };
    const { effects, error } = await reconcile(this.#deps, run);
    await this.#events.flush(AbortSignal.timeout(1_000));
    if (error !== undefined) throw error;
    return effects;
  }

  /** Events left out, as `verb path`. */
  get asked(): string[] {
    return this.client.calls.filter(({ path }) => !isEvents(path)).map(({ verb, path }) => `${verb} ${path}`);
  }

  /** As `kind name reason`. */
  get events(): string[] {
    const written = this.client.calls.filter(({ path }) => isEvents(path)).map(({ body }) => body as EventBody);
    return written.map(({ involvedObject: { kind, name }, reason }) => `${kind} ${name} ${reason}`);
  }

  /** Messages of the events, each once. */
  get messages(): string[] {
    const written = this.client.calls.filter(({ path }) => isEvents(path)).map(({ body }) => body as EventBody);
    return [...new Set(written.map(({ message }) => message))];
  }

  /** The status in the only patch. */
  get status(): NonNullable<PodCertificateRequest['status']> | undefined {
    const patch = this.client.calls.find(({ verb }) => verb === 'mergePatch');
    return (patch?.body as PodCertificateRequest | undefined)?.status;
  }

  #answer(call: RecordedCall): unknown {
    this.fault(call);
    if (call.path.includes('/secrets/')) return buildSecret(rootTexts());
    if (call.path.includes('subjectaccessreviews')) return { status: { allowed: this.mayReference } };
    if (call.path.includes('/issuers?')) return { items: [this.issuer] };
    return call.verb === 'get' ? this.request : undefined;
  }
}

interface EventBody {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly reason: string;
  readonly message: string;
}

function isEvents(path: string): boolean {
  return path.endsWith('/events');
}
