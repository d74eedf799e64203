// An in-memory cluster with one issuer, and one signer that reconciles one request at a time, with all API calls
// recorded. The signer's components are the real ones. A subclass adds what is special about its kind of request.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { EventRecorder } from '@countersign/common/runtime/controller/event-recorder.ts';
import type { Logger, LogLevel } from '@countersign/common/runtime/process/log.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';
import { SharedAnswers } from '@countersign/common/runtime/shared-answers.ts';
import type { Secret } from '@countersign/common/secret.ts';
import { AS_CERT_MANAGER, type IssuancePolicy } from '@countersign/signer/issuance/issuance-policy.ts';
import { createCaIssuer } from '@countersign/signer/issuers/ca.ts';
import { createSelfSignedIssuer } from '@countersign/signer/issuers/self-signed.ts';
import { type ReconcileDeps, type Reconciled, reconcile } from '@countersign/signer/reconcile.ts';
import type { RequestKind, RequestRecord } from '@countersign/signer/requests/request-kind.ts';
import { SecretReader } from '@countersign/signer/secret-reader.ts';
import { OtherSigners } from '@countersign/signer/writes/other-signers.ts';
import { Unreported } from '@countersign/signer/writes/unreported.ts';
import { WriteLedger } from '@countersign/signer/writes/write-ledger.ts';
import { buildIssuer, buildSecret, rootTexts } from '../../support/ca-builder.ts';
import { type RecordedCall, RecordingClient } from '../../support/recording-client.ts';
import { recordLog } from '../../support/test-log.ts';

export const NOW = new Date('2026-11-24T12:00:00.789Z');
export const SECRET_PATH = '/api/v1/namespaces/sandbox/secrets/my-ca';
export const REVIEW_PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const ISSUERS_PATH = '/apis/cert-manager.io/v1/namespaces/sandbox/issuers';

/** Calls in the format of `asked`. */
export const REVIEW = `create ${REVIEW_PATH}`;
export const SECRET = `get ${SECRET_PATH}`;
export const ISSUER = `get ${ISSUERS_PATH}?fieldSelector=metadata.name%3Dmy-ca`;

export interface HarnessOptions {
  readonly writeCaAnnotation?: boolean;
  readonly policy?: Partial<IssuancePolicy>;
  /** Defaults to debug. */
  readonly logLevel?: LogLevel;
}

export abstract class ReconcileHarness<R extends RequestRecord> {
  /** As cached by the signer; the API server has `freshIssuer`, which is the same unless set. */
  issuer: Issuer | undefined = buildIssuer();
  /** null: deleted. */
  freshIssuer: Issuer | null | undefined;
  secret: Secret | undefined = buildSecret(rootTexts());
  /** Names that the requester may reference. */
  mayReference: readonly string[] = ['my-ca'];
  /** Throws to fail a call, or returns an object to answer it. */
  fault: (call: RecordedCall) => unknown = () => undefined;
  /** Milliseconds since 1970. */
  now = NOW.getTime();
  /** How long ago the signer received the request, in milliseconds. */
  receivedAgoMs = 0;
  isLeading = true;
  readonly client = new RecordingClient(call => this.#answer(call));
  readonly secrets = new SecretReader(this.client, () => 0);
  readonly deps: ReconcileDeps<R>;
  readonly log: Logger;
  /** What was logged, as fields. */
  readonly logged: Record<string, unknown>[];
  readonly #events: EventRecorder;

  constructor(kind: RequestKind<R>, options: HarnessOptions = {}) {
    const { lines, log } = recordLog(options.logLevel ?? 'debug');
    this.logged = lines;
    this.log = log;
    this.#events = new EventRecorder(this.client, log);
    const ledger = new WriteLedger();
    this.deps = {
      client: this.client,
      events: this.#events,
      secrets: this.secrets,
      settings: {
        policy: { ...AS_CERT_MANAGER, ...options.policy },
        handlers: [createCaIssuer(), createSelfSignedIssuer()],
        clusterResourceNamespace: 'countersign',
        writeCaAnnotation: options.writeCaAnnotation ?? true,
      },
      kind,
      reviews: new SharedAnswers<boolean>(kind.sharesPermissionMs, () => this.now),
      view: { findIssuer: () => this.issuer, findRecord: name => this.#findRecord(name) },
      isLeading: () => this.isLeading,
      ledger,
      unreported: new Unreported(),
      others: new OtherSigners(kind, ledger),
      now: () => new Date(this.now),
    };
  }

  /** The request as cached by the signer. */
  protected abstract get cached(): Pick<R, 'metadata'>;

  /** The request as stored by the API server. */
  protected abstract get stored(): Pick<R, 'metadata'>;

  /** Reconciles once and writes the events. */
  protected async reconcile(attempt: number, deps: ReconcileDeps<R> = this.deps): Promise<Reconciled> {
    const reconciled = await reconcile(deps, { name: keyOf(this.cached.metadata), attempt, log: this.log });
    await this.#events.flush(AbortSignal.timeout(1_000));
    return reconciled;
  }

  /** The API calls without events, as `verb path`. */
  get asked(): string[] {
    return this.client.calls.filter(({ path }) => !path.includes('/events')).map(({ verb, path }) => `${verb} ${path}`);
  }

  #findRecord(name: string): R | undefined {
    if (name !== keyOf(this.cached.metadata)) return undefined;
    return this.deps.kind.toRecord(this.cached, this.now - this.receivedAgoMs, this.deps.settings);
  }

  #answer(call: RecordedCall): unknown {
    const answer = this.fault(call);
    if (answer !== undefined) return answer;
    if (call.path.startsWith('/api/v1/namespaces/') && call.verb === 'get') return this.secret;
    if (call.path.startsWith(ISSUERS_PATH))
      return { items: this.freshIssuer === null ? [] : [this.freshIssuer ?? this.issuer] };
    if (call.path === REVIEW_PATH) return this.#review(call.body as { spec: { resourceAttributes: { name: string } } });
    return call.verb === 'get' ? this.stored : undefined;
  }

  #review({ spec }: { spec: { resourceAttributes: { name: string } } }) {
    return { status: { allowed: this.mayReference.includes(spec.resourceAttributes.name) } };
  }
}
