// Reads the CSRs that wait, their issuers and their events. Changes nothing.

import { isApproved } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { Api } from '../cluster/api.ts';
import type { Csr, CsrEvent } from '../cluster/csr.ts';
import { listAllEvents, listCsrs } from '../cluster/csrs.ts';
import { readIssuer } from '../cluster/issuers.ts';
import { type Known, unlessForbidden } from '../cluster/known.ts';
import { describeOpen, isOpenRequest, type OpenRequest } from './open-requests.ts';

/** Oldest first. With a namespace, of its Issuers alone. */
export async function gatherOpen(api: Api, namespace: string | undefined): Promise<readonly OpenRequest[]> {
  const open = (await listCsrs(api)).filter(csr => isOpenRequest(csr, namespace));
  const [issuers, events] = await Promise.all([readIssuers(api, open), readEvents(api, open)]);
  const requests = open.map(csr => describeOpen(csr, { issuers, events, now: new Date() }));
  return requests.toSorted((a, b) => Date.parse(a.created ?? '') - Date.parse(b.created ?? ''));
}

/** Each once, few at a time. */
async function readIssuers(api: Api, open: readonly Csr[]): Promise<ReadonlyMap<string, Known<Issuer | undefined>>> {
  const found = new Map<string, Known<Issuer | undefined>>();
  const names = [...new Set(open.map(({ spec }) => spec.signerName))];
  for (let at = 0; at < names.length; at += 8)
    await Promise.all(names.slice(at, at + 8).map(name => readOne(api, name, found)));
  return found;
}

async function readOne(api: Api, signerName: string, found: Map<string, Known<Issuer | undefined>>): Promise<void> {
  const signer = parseSignerName(signerName);
  if (signer.ok) found.set(signerName, await readIssuer(api, signer.value));
}

/** Only an approved CSR waits for something that its events name. */
async function readEvents(api: Api, open: readonly Csr[]): Promise<ReadonlyMap<string, readonly CsrEvent[]>> {
  if (!open.some(isApproved)) return new Map();
  const events = await unlessForbidden(listAllEvents(api), 'list events in the namespace default');
  return events.known ? Map.groupBy(events.value, event => event.involvedObject?.uid ?? '') : new Map();
}
