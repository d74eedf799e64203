// Divides the issuers of one type between Countersign and cert-manager: those that Countersign cannot sign for, such as
// Vault issuers with AWS authentication, are delegated.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import type { IssuerTypeHandler } from '../issuer-type.ts';

/** `isNative`: whether Countersign signs for the issuer itself. Both handlers have the same type. */
export function delegateUnless<Material>(
  isNative: (issuer: Issuer) => boolean,
  native: IssuerTypeHandler<Material>,
  delegated: IssuerTypeHandler<undefined>,
): IssuerTypeHandler<Material> {
  return {
    ...native,
    decide: (request, material, now) =>
      isNative(request.issuer) ? native.decide(request, material, now) : delegated.decide(request, undefined, now),
    readiness: known =>
      isNative(known.issuer) ? native.readiness(known) : delegated.readiness({ ...known, material: undefined }),
  };
}
