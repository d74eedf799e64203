// The cached requests of one kind and all issuers, as a reconcile sees them: a type only.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { RequestRecord } from '../requests/request-kind.ts';

export interface RequestView<R extends RequestRecord> {
  findRecord(name: string): R | undefined;
  findIssuer(ref: SignerRef): Issuer | undefined;
}
