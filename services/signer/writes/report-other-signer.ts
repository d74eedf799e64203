// Reports a request that another signer ended although this one serves its issuer: log line, event and count, each
// bounded. Does not write to the request.

import { reasons } from '@countersign/common/reasons/reasons.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { Effect } from '../effect.ts';
import { hasDerivedSerial } from '../issuance/serial.ts';
import type { End, RequestRecord } from '../requests/request-kind.ts';
import { type FreshReadDeps, type ReadTarget, toSubjectOf } from './fresh-read.ts';
import type { OtherSigners } from './other-signers.ts';
import { recordReason } from './request-events.ts';

export interface OtherSignerDeps<R extends RequestRecord> extends FreshReadDeps<R> {
  readonly others: OtherSigners<R>;
  readonly isLeading: () => boolean;
}

type Stored<R extends RequestRecord> = R & { readonly status?: object };

export async function reportOtherSigner<R extends RequestRecord>(
  deps: OtherSignerDeps<R>,
  { name, log }: ReadTarget,
): Promise<readonly Effect[]> {
  const suspect = deps.others.find(name);
  if (suspect === undefined) return [];
  const end = await readForeignEnd(deps, name, suspect);
  deps.others.delete(name);
  const subject = toSubjectOf(deps, suspect, log);
  const signer = parseSignerName(deps.kind.signerNameOf(suspect), deps.settings.policy.externalIssuers);
  const type = subject.handler?.type;
  // Other signers may serve what is not served here.
  if (end === undefined || !signer.ok || type === undefined || !deps.kind.serves(type) || !deps.isLeading()) return [];
  const message = reasons.AnotherSigner.message(end.kind, signer.value, type);
  if (deps.others.mayLog()) subject.log.warn({ detail: message, ...fieldsOf(end) }, 'another signer serves an issuer');
  if (deps.others.mayRecord()) recordReason(deps, subject, 'AnotherSigner', message);
  return [{ kind: 'count-other-signer', issuerType: type }];
}

/** Returns how another signer ended the request; undefined if it was not another signer. */
async function readForeignEnd<R extends RequestRecord>(
  { client, kind, ledger }: OtherSignerDeps<R>,
  name: string,
  { metadata: { uid = '' } }: R,
): Promise<End | undefined> {
  const stored = await client.get<Stored<R>>(kind.pathOf(name));
  if (stored === undefined || stored.metadata.uid !== uid) return undefined;
  const end = kind.endOf(stored);
  if (end?.kind === 'issued' && hasDerivedSerial(end.certificate, uid)) return undefined;
  return ledger.wasStored(stored, kind.digestOf(stored.status ?? {})) ? undefined : end;
}

function fieldsOf(end: End): object {
  return end.kind === 'failed' ? { result: end.kind, reason: end.reason } : { result: end.kind };
}
