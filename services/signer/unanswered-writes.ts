// The writes to the status of CSRs that were never answered: whether one has landed after all is seen by what the CSR has now.
// Reads and writes nothing itself.

import { hash } from 'node:crypto';
import { type CertificateSigningRequest, type CsrStatus, findFailure } from '@countersign/common/csr.ts';

interface Unanswered {
  readonly name: string;
  /** Of each attempt: any of them may have landed. */
  readonly digests: Set<string>;
}

export class UnansweredWrites {
  readonly #byUid = new Map<string, Unanswered>();

  add({ metadata }: CertificateSigningRequest, status: CsrStatus): void {
    const { name, uid = '' } = metadata;
    const known = this.#byUid.get(uid) ?? { name, digests: new Set() };
    known.digests.add(digestOf(status));
    this.#byUid.set(uid, known);
  }

  /** By uid, since another CSR may have the same name by now. */
  has(csr: CertificateSigningRequest): boolean {
    return this.#byUid.has(csr.metadata.uid ?? '');
  }

  /** Whether what the CSR has is what was written here, and not another replica's. */
  hasLanded(csr: CertificateSigningRequest): boolean {
    return this.#byUid.get(csr.metadata.uid ?? '')?.digests.has(digestOf(csr.status ?? {})) ?? false;
  }

  delete(csr: CertificateSigningRequest): void {
    this.#byUid.delete(csr.metadata.uid ?? '');
  }

  /** Of the CSRs, to be looked at again. */
  get names(): readonly string[] {
    return [...this.#byUid.values()].map(({ name }) => name);
  }
}

/** Of the certificate, or of the condition Failed, with its time. */
function digestOf(status: CsrStatus): string {
  const { reason, message, lastUpdateTime } = findFailure({ status }) ?? {};
  return hash('sha256', status.certificate ?? [reason, message, lastUpdateTime].join('\0'));
}
