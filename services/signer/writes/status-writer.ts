// Writes to the status of requests, only over the version that was decided on and only while this replica is the
// leader. The only file that writes to a request; it decides nothing.

import { asClassifiedError, TerminalError } from '@countersign/common/runtime/errors.ts';
import type { KubeClient } from '@countersign/common/runtime/kube/kube-client.ts';
import { keyOf } from '@countersign/common/runtime/reflector/object-store.ts';
import { FIELD_MANAGER } from '../field-manager.ts';
import type { RecordSettings, RequestKind, RequestRecord, StatusChange } from '../requests/request-kind.ts';
import type { WriteLedger } from './write-ledger.ts';

export interface WriteDeps {
  readonly client: Pick<KubeClient, 'mergePatch'>;
  /** False once leadership is lost: another replica may be active, so nothing more is signed or written. */
  readonly isLeading: () => boolean;
  readonly ledger: WriteLedger;
}

interface Target<R extends RequestRecord> {
  readonly kind: RequestKind<R>;
  readonly record: R;
}

/**
 * Returns the written object. The resourceVersion makes the write conditional: if the request changed since it was
 * observed (another certificate or annotation), the write conflicts and the request is decided on again.
 */
export async function writeStatus<R extends RequestRecord>(
  { client, isLeading, ledger }: WriteDeps,
  { kind, record }: Target<R>,
  change: StatusChange,
): Promise<R> {
  const { uid, resourceVersion } = record.metadata;
  const body = { metadata: { ...change.metadata, uid, resourceVersion }, status: change.status };
  try {
    const written = await client.mergePatch<R>(writePath({ kind, record }, '/status'), body, isLeading);
    ledger.recordAnswer(record);
    return written;
  } catch (error) {
    if (isUnanswered(error)) ledger.recordUnanswered(record, kind.digestOf(change.status));
    throw error;
  }
}

/** Returns the error if the API server rejects the change as invalid; stores nothing (dry run). */
export async function tryStatus<R extends RequestRecord>(
  { client }: Pick<WriteDeps, 'client'>,
  { kind, record }: Target<R>,
  status: object,
): Promise<TerminalError | undefined> {
  const { uid, resourceVersion } = record.metadata;
  try {
    const path = `${writePath({ kind, record }, '/status')}&dryRun=All`;
    await client.mergePatch(path, { metadata: { uid, resourceVersion }, status });
    return undefined;
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'invalid') return error;
    throw error;
  }
}

/**
 * Adds what is missing from an object that has its certificate. Uses `/status`, which accepts metadata on all servers
 * known so far; if that has no effect, patches the object itself (which the chart permits only on demand). Returns
 * whether it wrote.
 */
export async function completeObject<R extends RequestRecord>(
  { client, isLeading, settings }: Pick<WriteDeps, 'client' | 'isLeading'> & { readonly settings: RecordSettings },
  target: Target<R>,
  topPem: string,
): Promise<boolean> {
  const { kind, record } = target;
  const missing = kind.completion(record, topPem, settings);
  if (missing === undefined) return false;
  const written = await client.mergePatch<R>(writePath(target, '/status'), missing, isLeading);
  const isIncomplete = kind.completion(written, topPem, settings) !== undefined;
  if (isIncomplete) await client.mergePatch(writePath(target), missing, isLeading);
  return true;
}

function isUnanswered(error: unknown): boolean {
  const { code } = asClassifiedError(error);
  return code === 'network' || code === 'timeout' || code === 'server';
}

function writePath<R extends RequestRecord>({ kind, record }: Target<R>, subresource = ''): string {
  return `${kind.pathOf(keyOf(record.metadata))}${subresource}?fieldManager=${FIELD_MANAGER}`;
}
