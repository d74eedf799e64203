// Vault issuers with AWS auth are cert-manager's where Countersign delegates; all others log in natively. Chooses only.

import type { Issuer } from '@countersign/common/issuer.ts';
import { isNativeVault } from '@countersign/common/vault-spec.ts';
import type { IssuerTypeHandler } from '../issuer-type.ts';

type VaultHandler = IssuerTypeHandler<undefined>;

export function withAwsAuth(native: VaultHandler, delegated: VaultHandler): VaultHandler {
  const handlerOf = ({ spec }: Issuer) => (isNativeVault(spec.vault ?? {}) ? native : delegated);
  return {
    ...native,
    decide: (request, ...rest) => handlerOf(request.issuer).decide(request, ...rest),
    readiness: known => handlerOf(known.issuer).readiness(known),
  };
}
