// Adds what is missing from a request whose certificate may be ours, if the signing key of its issuer shows that it is.

import { parseSignerName } from '@countersign/common/signer-name.ts';
import { type ObserveDeps, observe } from '../observe.ts';
import type { RequestRecord } from '../requests/request-kind.ts';
import type { Subject } from './request-events.ts';
import { type CertificateWriteDeps, repair } from './write-certificate.ts';

type RepairDeps = ObserveDeps & Pick<CertificateWriteDeps, 'client' | 'isLeading' | 'settings'>;

/** Returns the type of the issuer; undefined if nothing was repaired. */
export async function repairIssued<R extends RequestRecord>(
  deps: RepairDeps,
  subject: Subject<R>,
): Promise<string | undefined> {
  const found = await findTop(deps, subject);
  if (found === undefined || !deps.isLeading()) return undefined;
  await repair(deps, subject, found.topPem);
  return found.issuerType;
}

interface Found {
  readonly issuerType: string;
  readonly topPem: string;
}

/** The top of the chain, if our certificate is in it. */
async function findTop<R extends RequestRecord>(deps: ObserveDeps, subject: Subject<R>): Promise<Found | undefined> {
  const { kind, record } = subject;
  const signer = parseSignerName(kind.signerNameOf(record), deps.settings.policy.externalIssuers);
  const end = kind.endOf(record);
  if (!signer.ok || end?.kind !== 'issued') return undefined;
  const { handler, material, requested } = await observe(deps, subject, signer.value);
  if (handler === undefined || requested?.ok !== true) return undefined;
  const { uid, publicKey } = requested.value;
  const topPem = handler.topOf(material, { chainPem: end.certificate, uid, publicKey, recordedTop: undefined });
  return topPem === undefined ? undefined : { issuerType: handler.type, topPem };
}
