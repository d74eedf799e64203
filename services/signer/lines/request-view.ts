// What is cached of requests of one kind and of all issuers, as a run looks at it: a type alone.

import type { Issuer } from '@countersign/common/issuer.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import type { RequestRecord } from '../requests/request-kind.ts';

export interface RequestView<R extends RequestRecord> {
  findRecord(name: string): R | undefined;
  findIssuer(ref: SignerRef): Issuer | undefined;
}
