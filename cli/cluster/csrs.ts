// Reads CertificateSigningRequests and their events, and finds the object that a user names. Never writes.

import { CSR_PATH, csrPath } from '@countersign/common/csr.ts';
import { CliError } from '../cli-error.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Api } from './api.ts';
import { type Csr, type CsrEvent, timeOf } from './csr.ts';
import { listAll } from './pages.ts';

export async function readCsr(api: Api, name: string): Promise<Csr> {
  const csr = await api.get<Csr>(csrPath(name));
  if (csr !== undefined) return csr;
  throw new CliError(
    `CertificateSigningRequest "${safeText(name)}" does not exist`,
    'kubectl get csr lists them. kube-controller-manager deletes finished CSRs after an hour and pending ones after a day.',
  );
}

export function listCsrs(api: Api): Promise<readonly Csr[]> {
  return listAll<Csr>(api, CSR_PATH, '');
}

const EVENT_PATH = '/api/v1/namespaces/default/events';
const OF_CSRS = 'involvedObject.kind=CertificateSigningRequest';

/** Oldest first. The events of cluster-scoped objects are in the namespace default. */
export async function listEvents(api: Api, { metadata }: Csr): Promise<readonly CsrEvent[]> {
  const events = await listAll<CsrEvent>(api, EVENT_PATH, `${OF_CSRS},involvedObject.uid=${metadata.uid}`);
  return events.toSorted((a, b) => timeOf(a) - timeOf(b));
}

/** Of all CSRs, oldest first. */
export async function listAllEvents(api: Api): Promise<readonly CsrEvent[]> {
  const events = await listAll<CsrEvent>(api, EVENT_PATH, OF_CSRS);
  return events.toSorted((a, b) => timeOf(a) - timeOf(b));
}
