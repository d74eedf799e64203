// The signers whose requests the approver may approve. Never kubernetes.io or any other signer that is not an issuer:
// anyone whose request for one of those is approved can become cluster administrator. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { domainOf, ISSUER_RESOURCES, type IssuerResource, parseSignerName } from '@countersign/common/signer-name.ts';

export interface SignerScope {
  /** `issuers.cert-manager.io/*` and the like, as in RBAC, and names of single issuers. */
  readonly names: ReadonlySet<string>;
  /** The types of external issuers that names may be of. */
  readonly external: readonly IssuerResource[];
}

export function parseSignerScope(text: string, external: readonly IssuerResource[] = []): Result<SignerScope> {
  const wholeDomains = [...Object.values(ISSUER_RESOURCES), ...external].map(each => `${domainOf(each)}/*`);
  const names = text.split(',').map(name => name.trim());
  const invalid = names.find(name => !wholeDomains.includes(name) && !parseSignerName(name, external).ok);
  if (invalid === undefined) return ok({ names: new Set(names), external });
  return err(
    `"${invalid}" is not the signer name of an issuer: use ${wholeDomains.join(', ')} or the name of one issuer; types of external issuers must be in --external-issuers`,
  );
}

export function isInScope({ names, external }: SignerScope, signerName: string): boolean {
  if (!parseSignerName(signerName, external).ok) return false;
  return names.has(signerName) || names.has(`${signerName.slice(0, signerName.indexOf('/'))}/*`);
}

/** Whether a signer name of a policy, which may end with `.*`, can select a request in the scope. */
export function canSelect(scope: SignerScope, policySignerName: string): boolean {
  const isPattern = policySignerName.endsWith('.*');
  if (!isPattern) return isInScope(scope, policySignerName);
  const prefix = policySignerName.slice(0, -1);
  return isInScope(scope, `${prefix}any`) || [...scope.names].some(name => name.startsWith(prefix));
}
