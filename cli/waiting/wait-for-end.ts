// Waits for the end of a CSR: issued, denied, failed or deleted. Watches it, and reads it again whenever a watch ends.

import { setTimeout as sleep } from 'node:timers/promises';
import { CSR_PATH, csrPath } from '@countersign/common/csr.ts';
import { isClassified } from '@countersign/common/runtime/errors.ts';
import type { WatchEvent } from '@countersign/common/runtime/reflector/watch-stream.ts';
import type { Api } from '../cluster/api.ts';
import { ApiError } from '../cluster/api-error.ts';
import { type Csr } from '../cluster/csr.ts';
import { stateOf } from '../explain/csr-state.ts';

export type End =
  | { readonly kind: 'issued' | 'refused'; readonly csr: Csr }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'timeout'; readonly csr: Csr };

export interface Waiting {
  /** The CSR as it was last read. */
  readonly csr: Csr;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Called with each state of the CSR. */
  readonly onChange: (csr: Csr) => void;
}

const PAUSE_MS = 1_000;

/**
 * Rejects only if the user may not read the CSR anymore. A CSR that was created again under its name counts as deleted.
 */
export async function waitForEnd(api: Api, { csr, signal, onChange }: Waiting): Promise<End> {
  let known = csr;
  while (!signal.aborted) {
    onChange(known);
    const end = endOf(known);
    if (end !== undefined) return end;
    const next = await follow(api, known, { signal, onChange });
    if (next === undefined || next.metadata.uid !== csr.metadata.uid) return { kind: 'deleted' };
    known = next;
  }
  return { kind: 'timeout', csr: known };
}

function endOf(csr: Csr): End | undefined {
  const state = stateOf(csr);
  if (state === 'Issued') return { kind: 'issued', csr };
  return state === 'Denied' || state === 'Failed' ? { kind: 'refused', csr } : undefined;
}

/** The CSR at its end, or when the watch ends; undefined if it was deleted. */
async function follow(api: Api, csr: Csr, waiting: Omit<Waiting, 'csr'>): Promise<Csr | undefined> {
  const started = performance.now();
  try {
    for await (const { type, object } of watchCsr(api, csr, waiting.signal)) {
      const next = object as Csr;
      if (type === 'DELETED') return undefined;
      if (endOf(next) !== undefined) return next;
      waiting.onChange(next);
    }
  } catch (error) {
    if (!isClassified(error)) throw error;
  }
  return readAgain(api, csr, { signal: waiting.signal, pauseMs: started + PAUSE_MS - performance.now() });
}

function watchCsr(api: Api, { metadata }: Csr, signal: AbortSignal): AsyncIterable<WatchEvent> {
  const query = new URLSearchParams({
    watch: '1',
    // The characters that a field selector would take for its own (apimachinery fields.EscapeValue).
    fieldSelector: `metadata.name=${metadata.name.replace(/[\\,=]/g, '\\$&')}`,
    resourceVersion: metadata.resourceVersion ?? '',
    timeoutSeconds: '300',
  });
  return api.watch(`${CSR_PATH}?${query.toString()}`, signal);
}

interface Again {
  readonly signal: AbortSignal;
  /** Until the next watch: one that ends at once must not be opened again at once. */
  readonly pauseMs: number;
}

/** Without the permission to watch, the CSR is read every second. */
async function readAgain(api: Api, csr: Csr, { signal, pauseMs }: Again): Promise<Csr | undefined> {
  await sleep(Math.max(0, pauseMs), undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return csr;
  try {
    return await api.get<Csr>(csrPath(csr.metadata.name));
  } catch (failure) {
    // An API server that restarts is no end.
    if (failure instanceof ApiError && failure.status < 500) throw failure;
    return csr;
  }
}
