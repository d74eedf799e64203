// Gathers what is known about a CSR, from the cluster or from a file. Reads, sends access reviews, and for a file a dry
// run: nothing is changed.

import type { Requester } from '@countersign/common/csr.ts';
import { CSR_PATH } from '@countersign/common/csr.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { Api } from '../cluster/api.ts';
import { ApiError } from '../cluster/api-error.ts';
import { type Csr } from '../cluster/csr.ts';
import { listEvents, readCsr } from '../cluster/csrs.ts';
import { readIssuer } from '../cluster/issuers.ts';
import { type Known, unlessForbidden } from '../cluster/known.ts';
import { type Permission, reviewPermission, whoAmI } from '../cluster/permission.ts';
import { stateOf } from './csr-state.ts';
import type { DryRun, Facts } from './facts.ts';

export async function gatherByName(api: Api, name: string): Promise<Facts> {
  return gatherCreated(api, await readCsr(api, name));
}

/** For a CSR as it was just read. */
export async function gatherCreated(api: Api, csr: Csr): Promise<Facts> {
  const requester = csr.spec;
  const [issuer, events] = await Promise.all([
    findIssuer(api, csr),
    unlessForbidden(listEvents(api, csr), 'list events in the namespace default'),
  ]);
  const permission = await findPermission(api, csr, requester);
  const { username, uid, groups, extra } = requester;
  return {
    csr,
    source: { kind: 'cluster' },
    requester: {
      ...(username !== undefined && { username }),
      ...(uid && { uid }),
      ...(groups && { groups }),
      ...(extra && { extra }),
    },
    issuer,
    permission,
    events,
    dryRun: undefined,
    now: new Date(),
  };
}

/** As if the user of the command created it. */
export async function gatherFromFile(api: Api, csr: Csr, path: string): Promise<Facts> {
  const requester = await whoAmI(api);
  const [issuer, dryRun] = await Promise.all([findIssuer(api, csr), tryToCreate(api, csr)]);
  const permission = await findPermission(api, csr, requester);
  const events: Known<never[]> = { known: true, value: [] };
  return { csr, source: { kind: 'file', path }, requester, issuer, permission, events, dryRun, now: new Date() };
}

async function findIssuer(api: Api, csr: Csr): Promise<Facts['issuer']> {
  const signer = parseSignerName(csr.spec.signerName);
  return signer.ok ? readIssuer(api, signer.value) : undefined;
}

/** Only while it matters. */
async function findPermission(api: Api, csr: Csr, requester: Requester): Promise<Permission | undefined> {
  const signer = parseSignerName(csr.spec.signerName);
  const isOpen = ['Pending', 'Approved'].includes(stateOf(csr));
  return signer.ok && isOpen ? reviewPermission(api, signer.value, requester) : undefined;
}

/** A dry run calls the webhook and the admission policies, and creates nothing. */
async function tryToCreate(api: Api, csr: Csr): Promise<DryRun> {
  try {
    const { warnings } = await api.send({ method: 'POST', path: `${CSR_PATH}?dryRun=All`, body: csr });
    return { kind: 'accepted', warnings };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    return { kind: 'refused', message: error.said || error.message, byAdmission: error.isAdmission };
  }
}
