// An in-memory cluster and one signer that reconciles one request at a time, with all API calls recorded. The signer's
// components are the real ones.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { Writable } from 'node:stream';
import type { CertificateSigningRequest } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { TerminalError } from '@countersign/common/runtime/errors.ts';
import { createLogger, type Logger } from '@countersign/common/runtime/process/log.ts';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import type { Secret } from '@countersign/common/secret.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { Effect, Outcome } from '@countersign/signer/effect.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { type ReconcileDeps, reconcile } from '@countersign/signer/reconcile.ts';
import { CSR_KIND } from '@countersign/signer/requests/csr/csr-kind.ts';
import { type CsrRecord, toCsrRecord } from '@countersign/signer/requests/csr/csr-record.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { settleWrites } from '@countersign/signer/writes/fresh-read.ts';
import { OtherSigners } from '@countersign/signer/writes/other-signers.ts';
import { Unreported } from '@countersign/signer/writes/unreported.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { buildCsr, type CsrOrder } from '../../support/csr-builder.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';

export const NOW = new Date('2026-11-24T12:00:00.789Z');
export const CSR_PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests/jane';
export const STATUS_PATH = `${CSR_PATH}/status?fieldManager=countersign-signer`;
export const SECRET_PATH = '/api/v1/namespaces/sandbox/secrets/my-ca';
const ISSUERS_PATH = '/apis/cert-manager.io/v1/namespaces/sandbox/issuers';
export const REVIEW_PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/** Calls in the format of `asked`. */
export const REVIEW = `create ${REVIEW_PATH}`;
export const SECRET = `get ${SECRET_PATH}`;
export const ISSUER = `get ${ISSUERS_PATH}?fieldSelector=metadata.name%3Dmy-ca`;
export const PATCH = `mergePatch ${STATUS_PATH}`;
export const ISSUED = 'Normal CertificateIssued: Certificate fetched from issuer successfully';

export class SignerHarness {
  /** As cached by the signer; the API server has `fresh`, which is the same unless set. */
  csr: CertificateSigningRequest = buildCsr();
  fresh: CertificateSigningRequest | undefined;
  /** How long ago the signer received the CSR, in milliseconds. */
  receivedAgoMs = 0;
  issuer: Issuer | undefined = buildIssuer();
  /** As stored by the API server, the same unless set; null: deleted. */
  freshIssuer: Issuer | null | undefined;
  secret: Secret | undefined = buildSecret(rootTexts());
  /** Names that the requester may reference. */
  mayReference: readonly string[] = ['my-ca'];
  /** Throws to fail a call, or returns an object to answer it. */
  fault: (call: RecordedCall) => unknown = () => undefined;
  readonly client = new RecordingClient(call => this.#answer(call));
  readonly secrets = new SecretReader(this.client, () => 0);
  isLeading = true;
  readonly outcomes: Outcome[] = [];
  /** For each outcome, how long the request could have been signed already. */
  readonly openMs: number[] = [];
  readonly rechecked: SignerRef[] = [];
  readonly refused: TerminalError[] = [];
  readonly logged: Record<string, unknown>[] = [];
  readonly requeued: string[] = [];
  /** The requested requeue delays, in milliseconds. */
  readonly requeueDelays: number[] = [];
  readonly deps: ReconcileDeps<CsrRecord>;
  readonly log: Logger;
  readonly #events: EventRecorder;

  constructor(options: { readonly writeCaAnnotation?: boolean; readonly policy?: Partial<IssuancePolicy> } = {}) {
    const destination = new Writable({
      write: (line, _, done) => (this.logged.push(JSON.parse(String(line))), done()),
    });
    this.log = createLogger({ service: 'test', level: 'debug', destination });
    this.#events = new EventRecorder(this.client, this.log);
    const settings = {
      policy: { ...AS_CERT_MANAGER, ...options.policy },
      handlers: [createCaIssuer(), createSelfSignedIssuer()],
      clusterResourceNamespace: 'countersign',
      writeCaAnnotation: options.writeCaAnnotation ?? true,
    };
    const ledger = new WriteLedger();
    this.deps = {
      client: this.client,
      events: this.#events,
      secrets: this.secrets,
      settings,
      kind: CSR_KIND,
      reviews: new SharedAnswers<boolean>(CSR_KIND.sharesPermissionMs),
      view: {
        findIssuer: () => this.issuer,
        findRecord: name =>
          name === this.csr.metadata.name
            ? toCsrRecord(this.csr, NOW.getTime() - this.receivedAgoMs, settings)
            : undefined,
      },
      isLeading: () => this.isLeading,
      ledger,
      unreported: new Unreported(),
      others: new OtherSigners(CSR_KIND, ledger),
      now: () => NOW,
    };
  }

  /** Reconciles once; rejects with the error to retry, after writing the events. */
  async run(attempt = 0, deps = this.deps): Promise<void> {
    const { effects, error } = await reconcile(deps, { name: this.csr.metadata.name, attempt, log: this.log });
    this.#carryOut(effects);
    await this.#events.flush(AbortSignal.timeout(1_000));
    if (error !== undefined) throw error;
  }

  /** Settles unanswered writes as at the end of leadership. */
  async settle(): Promise<void> {
    this.#carryOut(await settleWrites(this.deps, this.log, AbortSignal.timeout(1_000)));
  }

  #report({ outcome, openMs }: Extract<Effect, { kind: 'report' }>): void {
    this.outcomes.push(outcome);
    this.openMs.push(openMs);
  }

  #carryOut(effects: readonly Effect[]): void {
    const { name } = this.csr.metadata;
    for (const effect of effects) {
      if (effect.kind === 'report') this.#report(effect);
      else if (effect.kind === 'recheck-issuer') this.rechecked.push(effect.ref);
      else if (effect.kind === 'count-refusal') this.refused.push(effect.error);
      else if (effect.kind === 'count-other-signer') assert.fail('no other signer acts here');
      else if (effect.kind === 'requeue-after') this.requeueDelays.push(effect.afterMs);
      else this.secrets.wakeOnChange(effect.ref, effect.version, name, () => this.requeued.push(name));
    }
  }

  /** The API calls without events, as `verb path`. */
  get asked(): string[] {
    return this.client.calls.filter(({ path }) => !path.includes('/events')).map(({ verb, path }) => `${verb} ${path}`);
  }

  #answer(call: RecordedCall): unknown {
    const answer = this.fault(call);
    if (answer !== undefined) return answer;
    if (call.path.startsWith('/api/v1/namespaces/') && call.verb === 'get') return this.secret;
    if (call.path.startsWith(ISSUERS_PATH))
      return { items: this.freshIssuer === null ? [] : [this.freshIssuer ?? this.issuer] };
    if (call.path === REVIEW_PATH) return this.#review(call.body as { spec: { resourceAttributes: { name: string } } });
    return call.verb === 'get' ? (this.fresh ?? this.csr) : undefined;
  }

  #review({ spec }: { spec: { resourceAttributes: { name: string } } }) {
    return { status: { allowed: this.mayReference.includes(spec.resourceAttributes.name) } };
  }
}

export interface StatusPatch {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly status: { readonly certificate: string };
}

export const isStatusPatch = ({ verb }: RecordedCall): boolean => verb === 'mergePatch';

export function certificateIn(body: unknown): X509Certificate {
  return new X509Certificate(Buffer.from((body as StatusPatch).status.certificate, 'base64'));
}

/** Returns the CSR after the patch, as the API server would send it. */
export function patched(call: RecordedCall | undefined, dropsAnnotation = false): CsrOrder {
  const { metadata, status } = call!.body as StatusPatch;
  const annotations = dropsAnnotation ? {} : (metadata.annotations ?? {});
  return { annotations, certificate: status.certificate };
}
