// What is known about one CSR, gathered for its explanation. Types only.

import type { Requester } from '@countersign/common/csr.ts';
import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { Csr, CsrEvent } from '../cluster/csr.ts';
import type { Known } from '../cluster/known.ts';
import type { Permission } from '../cluster/permission.ts';

/** The answer of the API server to a server-side dry run, webhook and admission policies included. */
export type DryRun =
  | { readonly kind: 'accepted'; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string; readonly byAdmission: boolean };

export interface Facts {
  readonly csr: Csr;
  /** Where the CSR comes from: the cluster, or a file. */
  readonly source: { readonly kind: 'cluster' } | { readonly kind: 'file'; readonly path: string };
  readonly requester: Requester;
  /** Undefined if the signer name refers to no issuer. */
  readonly issuer: Known<Issuer | undefined> | undefined;
  readonly permission: Permission | undefined;
  readonly events: Known<readonly CsrEvent[]>;
  /** For a file only. */
  readonly dryRun: DryRun | undefined;
  readonly now: Date;
}
