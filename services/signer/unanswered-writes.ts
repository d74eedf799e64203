// The writes to the status of CSRs that were never answered: whether one has landed after all is seen by what the CSR has now.
// Reads and writes nothing itself.

import { hash } from 'node:crypto';
import { type CertificateSigningRequest, type CsrStatus, findFailure } from '@countersign/common/csr.ts';

interface Unanswered {
  /** Another CSR may have the same name by now. */
  readonly uid: string | undefined;
  /** Of each attempt: any of them may have landed. */
  readonly digests: Set<string>;
}

/** As many attempts as are remembered: an older one does not land any more, since it names a version of the CSR. */
const MAX_ATTEMPTS = 8;

export class UnansweredWrites {
  readonly #byName = new Map<string, Unanswered>();

  add({ metadata }: CertificateSigningRequest, status: CsrStatus): void {
    const { name, uid } = metadata;
    const known = this.#byName.get(name);
    const { digests } = known !== undefined && known.uid === uid ? known : { digests: new Set<string>() };
    const [oldest] = digests.size < MAX_ATTEMPTS ? [] : digests;
    if (oldest !== undefined) digests.delete(oldest);
    this.#byName.set(name, { uid, digests: digests.add(digestOf(status)) });
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Whether what the CSR has is what was written here, and not another replica's. */
  hasLanded({ metadata, status = {} }: CertificateSigningRequest): boolean {
    const known = this.#byName.get(metadata.name);
    return known !== undefined && known.uid === metadata.uid && known.digests.has(digestOf(status));
  }

  delete(name: string): void {
    this.#byName.delete(name);
  }

  /** Keeps what is known of this very CSR alone. */
  keepOnly(name: string, uid: string | undefined): void {
    if (this.#byName.get(name)?.uid !== uid) this.#byName.delete(name);
  }

  /** Of the CSRs, to be looked at again. */
  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }
}

/** Of the certificate, or of the condition Failed, with its time. */
function digestOf(status: CsrStatus): string {
  const { reason, message, lastUpdateTime } = findFailure({ status }) ?? {};
  return hash('sha256', status.certificate ?? [reason, message, lastUpdateTime].join('\0'));
}
