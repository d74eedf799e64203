// Issuers of a type that cert-manager signs for: Countersign decides about the request, and cert-manager issues the
// certificate. Their Ready condition is cert-manager's.

import { failFor } from '../bad-request.ts';
import { hasSent, type IssuerTypeHandler } from '../issuer-type.ts';
import { topOfRemote } from '../stored-certificate.ts';
import type { DelegatedType } from './delegated-type.ts';
import { type DelegationDeps, delegate } from './delegation.ts';

export function createDelegatedIssuer(type: DelegatedType, deps: DelegationDeps): IssuerTypeHandler<undefined> {
  return {
    type,
    load: async () => undefined,
    reject: () => undefined,
    topOf: (_, stored) => topOfRemote(stored),
    readiness: () => 'kept-elsewhere',
    decide({ requested, ref }) {
      if (!requested.ok) return failFor(requested.error);
      const { value } = requested;
      if (!hasSent(value)) throw new TypeError('only CSRs are delegated');
      const submit = (signal: AbortSignal) => delegate(deps, type, { ref, requested: value }, signal);
      return { kind: 'issue', issuance: { kind: 'remote', requested: value, submit } };
    },
  };
}
