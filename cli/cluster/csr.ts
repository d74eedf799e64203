// The CertificateSigningRequest and its events as the API server returns them. Pure.

import type { CertificateSigningRequest, ObjectMeta } from '@countersign/common/csr.ts';

/** As the API server returns it. */
export interface Csr extends CertificateSigningRequest {
  readonly metadata: ObjectMeta & { readonly creationTimestamp?: string };
}

/** core/v1 Event, the fields that are shown. */
export interface CsrEvent {
  readonly involvedObject?: { readonly uid?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly source?: { readonly component?: string };
}

export function timeOf({ lastTimestamp, eventTime }: CsrEvent): number {
  return Date.parse(lastTimestamp ?? eventTime ?? '') || 0;
}
