// Reads the issuer of a signer name. Never writes.

import { type Issuer, issuerPath, toIssuer } from '@countersign/common/issuers/issuer.ts';
import type { IssuerRef } from '@countersign/common/signer-name.ts';
import type { Api } from './api.ts';
import { type Known, unlessForbidden } from './known.ts';

/** Undefined if it does not exist. */
export function readIssuer(api: Api, ref: IssuerRef): Promise<Known<Issuer | undefined>> {
  const resource = ref.kind === 'Issuer' ? 'issuers' : 'clusterissuers';
  const read = async () => {
    const raw = await api.get(issuerPath(ref));
    return raw === undefined ? undefined : toIssuer(raw);
  };
  return unlessForbidden(read(), `get ${resource}.cert-manager.io`);
}
