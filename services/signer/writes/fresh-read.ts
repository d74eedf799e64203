// Reads a request from the API server when the cache cannot be trusted, and reports the outcome of unanswered writes,
// including those of a leader that was killed.

import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import type { Logger } from '@countersign/common/runtime/process/log.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { RequestView } from '../controllers/request-view.ts';
import type { Effect, Outcome } from '../effect.ts';
import { isSignedHere } from '../issuance/serial.ts';
import { findHandler } from '../issuers/issuer-type.ts';
import type { SigningSettings } from '../observe.ts';
import type { RequestKind, RequestRecord } from '../requests/request-kind.ts';
import type { EventDeps, Subject } from './request-events.ts';
import { reportStoredWrite } from './stored-writes.ts';
import type { Unreported } from './unreported.ts';
import type { WriteLedger } from './write-ledger.ts';

export interface FreshReadDeps<R extends RequestRecord> extends EventDeps {
  readonly client: Pick<KubeClient, 'get'>;
  readonly kind: RequestKind<R>;
  readonly view: RequestView<R>;
  readonly ledger: WriteLedger;
  readonly settings: SigningSettings;
  readonly now: () => Date;
}

export interface FreshRead<R extends RequestRecord> {
  /** undefined if the request no longer exists. */
  readonly record: R | undefined;
  readonly effects: readonly Effect[];
}

/** Identifies one read of one request. */
export interface ReadTarget {
  readonly name: string;
  readonly log: Logger;
}

export async function readFresh<R extends RequestRecord>(
  deps: FreshReadDeps<R>,
  { name, log }: ReadTarget,
  signal?: AbortSignal,
): Promise<FreshRead<R>> {
  const { client, kind, view, ledger, settings, now } = deps;
  const raw = await client.get<StoredObject<R>>(kind.pathOf(name), signal);
  ledger.keepOnly(name, raw?.metadata.uid);
  if (raw === undefined) return { record: undefined, effects: [] };
  // The cached object arrived with the approval; the time of this read would understate the wait.
  const record = kind.toRecord(raw, view.findRecord(name)?.receivedAt ?? now().getTime(), settings);
  const effects = ledger.wasStored(raw, kind.digestOf(raw.status ?? {})) ? reportOne(deps, raw, log) : [];
  if (record.state !== 'open') ledger.settle(name);
  return { record, effects };
}

/** The object as stored by the API server. */
type StoredObject<R extends RequestRecord> = R & { readonly status?: object };

function reportOne<R extends RequestRecord>(deps: FreshReadDeps<R>, raw: R, log: Logger): readonly Effect[] {
  const subject = toSubject(deps, raw, log);
  const outcome = reportStoredWrite(deps, subject);
  return outcome === undefined ? [] : [toReport(deps, subject.record, outcome)];
}

export function toReport<R extends RequestRecord>(
  { kind, now }: Pick<FreshReadDeps<R>, 'kind' | 'now'>,
  record: R,
  outcome: Outcome,
): Effect {
  const openMs = kind.millisecondsOpen(record, now().getTime());
  return { kind: 'report', name: keyOf(record.metadata), outcome, openMs };
}

/**
 * The cached object may have been replaced since, so the wait is measured from the approval stored by the API server.
 */
const UNKNOWN_RECEIPT = { state: 'done', receivedAt: Number.POSITIVE_INFINITY } as const;

/** Builds the subject for an object read from the API server. */
function toSubject<R extends RequestRecord>(deps: FreshReadDeps<R>, raw: R, log: Logger): Subject<R> {
  return toSubjectOf(deps, { ...raw, ...UNKNOWN_RECEIPT }, log);
}

/** Returns the request with a logger that carries its fields and the handler of its issuer's type. */
export function toSubjectOf<R extends RequestRecord>(
  { kind, settings, view }: Pick<FreshReadDeps<R>, 'kind' | 'settings' | 'view'>,
  record: R,
  log: Logger,
): Subject<R> {
  const { uid } = record.metadata;
  const signerName = kind.signerNameOf(record);
  const signer = parseSignerName(signerName);
  const handler = findHandler(settings.handlers, signer.ok ? view.findIssuer(signer.value) : undefined);
  const fields = { [kind.name]: keyOf(record.metadata), uid, signerName, ...kind.logFieldsOf(record) };
  return { kind, record, handler, log: log.child(fields) };
}

/**
 * Checks once whether unanswered writes were stored, and reports those that were: for a replica that will not come back
 * to them.
 */
export async function settleWrites<R extends RequestRecord>(
  deps: FreshReadDeps<R>,
  log: Logger,
  signal: AbortSignal,
): Promise<readonly Effect[]> {
  const reads = await Promise.allSettled(deps.ledger.inDoubt.map(name => readFresh(deps, { name, log }, signal)));
  const { length } = deps.ledger.inDoubt;
  if (length > 0) log.warn({ requests: length }, 'outcome of last status writes unknown');
  return reads.flatMap(read => (read.status === 'fulfilled' ? read.value.effects : []));
}

/**
 * Reports what a previous leader wrote and may not have reported: at least once, since its log is unknown. The event
 * gets the name it would have had; the log line is marked as recovered. Another signer's certificates are not reported.
 */
export async function reportFormer<R extends RequestRecord>(
  deps: FreshReadDeps<R> & { readonly unreported: Pick<Unreported, 'delete'> },
  { name, log }: ReadTarget,
): Promise<void> {
  const raw = await deps.client.get<R>(deps.kind.pathOf(name));
  deps.unreported.delete(name);
  if (raw === undefined) return;
  const end = deps.kind.endOf(raw);
  const subject = toSubject(deps, raw, log);
  const isOurs = end?.kind !== 'issued' || isSignedHere(end.certificate, raw.metadata.uid ?? '');
  if (!isOurs || subject.handler === undefined) return;
  reportStoredWrite(deps, { ...subject, log: subject.log.child({ recovered: true }) });
}
