// Reports what a killed leader wrote to a request and may not have reported. Certificates of other signers are not
// reported: the issuer type tells which are ours.

import { PERMISSIVE_POLICY } from '@countersign/common/request-policy.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { loadMaterial, type ObserveDeps } from '../observe.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import { type FreshReadDeps, type ReadTarget, toStoredSubject } from './fresh-read.ts';
import type { Subject } from './request-events.ts';
import { reportStoredWrite } from './stored-writes.ts';
import type { Unreported } from './unreported.ts';

type ReportDeps<R extends RequestRecord> = FreshReadDeps<R> & Pick<ObserveDeps, 'secrets'>;

/**
 * At least once, since the log of the previous leader is unknown. The event gets the name it would have had; the log
 * line is marked as recovered.
 */
export async function reportFormer<R extends RequestRecord>(
  deps: ReportDeps<R> & { readonly unreported: Pick<Unreported, 'delete'> },
  { name, log }: ReadTarget,
): Promise<void> {
  const raw = await deps.client.get<R>(deps.kind.pathOf(name));
  if (raw !== undefined) await reportOwn(deps, toStoredSubject(deps, raw, log));
  deps.unreported.delete(name);
}

async function reportOwn<R extends RequestRecord>(deps: ReportDeps<R>, subject: Subject<R>): Promise<void> {
  const end = subject.kind.endOf(subject.record);
  if (subject.handler === undefined || end === undefined) return;
  if (end.kind === 'issued' && !(await isOwn(deps, subject, end.certificate))) return;
  reportStoredWrite(deps, { ...subject, log: subject.log.child({ recovered: true }) });
}

/** Needs no access review: the certificate exists. */
async function isOwn<R extends RequestRecord>(
  deps: ReportDeps<R>,
  { kind, record, handler }: Subject<R>,
  chainPem: string,
): Promise<boolean> {
  const signer = parseSignerName(kind.signerNameOf(record), deps.settings.policy.externalIssuers);
  const issuer = signer.ok ? deps.view.findIssuer(signer.value) : undefined;
  const requested = kind.toRequestedCertificate(record, PERMISSIVE_POLICY, { type: handler?.type, issuer });
  if (!signer.ok || handler === undefined || !requested.ok) return false;
  const signing = { ref: signer.value, issuer, handler, keySecretName: kind.keySecretName(record) };
  const material = await loadMaterial(deps, signing, 'read');
  const { uid, publicKey } = requested.value;
  return handler.topOf(material, { chainPem, uid, publicKey, recordedTop: kind.recordedTop(record) }) !== undefined;
}
