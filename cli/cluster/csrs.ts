// Reads CertificateSigningRequests and their events, and finds the object that a user names. Never writes.

import { CliError } from '../cli-error.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Api } from './api.ts';
import { CSR_PATH, type Csr, type CsrEvent, csrPath, timeOf } from './csr.ts';

export async function readCsr(api: Api, name: string): Promise<Csr> {
  const csr = await api.get<Csr>(csrPath(name));
  if (csr !== undefined) return csr;
  throw new CliError(
    `CertificateSigningRequest "${safeText(name)}" does not exist`,
    'kubectl get csr lists them. kube-controller-manager deletes finished CSRs after an hour and pending ones after a day.',
  );
}

const PAGE = 500;

interface List<T> {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly T[];
}

/** All of them, page by page. */
export async function listCsrs(api: Api): Promise<readonly Csr[]> {
  const found: Csr[] = [];
  for (let next = ''; ; ) {
    const path = `${CSR_PATH}?limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
    const { body } = await api.send<List<Csr>>({ method: 'GET', path });
    found.push(...(body.items ?? []));
    next = body.metadata?.continue ?? '';
    if (next === '') return found;
  }
}

/** Oldest first. The events of cluster-scoped objects are in the namespace default. */
export async function listEvents(api: Api, { metadata }: Csr): Promise<readonly CsrEvent[]> {
  const selector = encodeURIComponent(
    `involvedObject.kind=CertificateSigningRequest,involvedObject.uid=${metadata.uid}`,
  );
  const path = `/api/v1/namespaces/default/events?fieldSelector=${selector}&limit=100`;
  const { body } = await api.send<List<CsrEvent>>({ method: 'GET', path });
  return (body.items ?? []).toSorted((a, b) => timeOf(a) - timeOf(b));
}
