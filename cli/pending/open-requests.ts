// The CSRs that wait, with what each asks for and waits for. Pure.

import { hasExternalForm } from '@countersign/common/issuers/external-types.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import { type CsrContent, decodeCsr, decodePkcs10, type Pkcs10Content } from '../certificate/request-content.ts';
import type { Csr, CsrEvent } from '../cluster/csr.ts';
import type { Known } from '../cluster/known.ts';
import { type CsrState, stateOf } from '../explain/csr-state.ts';
import { findObstacles } from '../explain/obstacles.ts';

export interface OpenRequest {
  readonly name: string;
  readonly created: string | undefined;
  readonly requester: string;
  readonly signerName: string;
  readonly state: CsrState;
  /** `approval`, `signer`, or a reason of docs/reasons.md. */
  readonly waitsFor: string;
  readonly request: Pkcs10Content | { readonly error: string };
  readonly csr: CsrContent;
}

/**
 * Of an issuer, and neither finished nor being deleted; the types of external issuers are not known here. With a
 * namespace, of its Issuers alone.
 */
export function isOpenRequest(csr: Csr, namespace: string | undefined): boolean {
  const signer = parseSignerName(csr.spec.signerName);
  if (!signer.ok) {
    const mayBeOurs = signer.error.kind === 'malformed' || hasExternalForm(csr.spec.signerName);
    return mayBeOurs && namespace === undefined && isOpen(csr);
  }
  return isOpen(csr) && (namespace === undefined || signer.value.namespace === namespace);
}

function isOpen(csr: Csr): boolean {
  return csr.metadata.deletionTimestamp === undefined && ['Pending', 'Approved'].includes(stateOf(csr));
}

/** What else is known: by signer name, and by the uid of the CSR. */
export interface Surroundings {
  readonly issuers: ReadonlyMap<string, Known<Issuer | undefined>>;
  readonly events: ReadonlyMap<string, readonly CsrEvent[]>;
  readonly now: Date;
}

export function describeOpen(csr: Csr, { issuers, events, now }: Surroundings): OpenRequest {
  const { metadata, spec } = csr;
  const request = decodePkcs10(csr);
  const [first] = findObstacles({
    csr,
    source: { kind: 'cluster' },
    requester: spec,
    issuer: issuers.get(spec.signerName),
    permission: undefined,
    events: { known: true, value: events.get(metadata.uid ?? '') ?? [] },
    dryRun: undefined,
    now,
  });
  const reason = first?.reason ?? (stateOf(csr) === 'Pending' ? 'WaitingApproval' : 'signer');
  return {
    name: metadata.name,
    created: metadata.creationTimestamp,
    requester: spec.username ?? '',
    signerName: spec.signerName,
    state: stateOf(csr),
    waitsFor: reason === 'WaitingApproval' ? 'approval' : reason,
    request: request.ok ? request.value : { error: request.error },
    csr: decodeCsr(csr),
  };
}
