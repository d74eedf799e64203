// The signers whose requests the approver may approve. Never kubernetes.io or any other signer that is not an issuer:
// anyone whose request for one of those is approved can become cluster administrator. Pure.

import { err, ok, type Result } from '@countersign/common/result.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';

export interface SignerScope {
  /** `issuers.cert-manager.io/*` and the like, as in RBAC, and names of single issuers. */
  readonly names: ReadonlySet<string>;
}

const WHOLE_DOMAINS: ReadonlySet<string> = new Set(['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/*']);

export function parseSignerScope(text: string): Result<SignerScope> {
  const names = text.split(',').map(name => name.trim());
  const invalid = names.find(name => !WHOLE_DOMAINS.has(name) && !parseSignerName(name).ok);
  if (invalid === undefined) return ok({ names: new Set(names) });
  return err(
    `"${invalid}" is not the signer name of an issuer: use issuers.cert-manager.io/*, clusterissuers.cert-manager.io/* or the name of one issuer`,
  );
}

export function isInScope({ names }: SignerScope, signerName: string): boolean {
  if (!parseSignerName(signerName).ok) return false;
  return names.has(signerName) || names.has(`${signerName.slice(0, signerName.indexOf('/'))}/*`);
}

/** Whether a signer name of a policy, which may end with `.*`, can select a request in the scope. */
export function canSelect(scope: SignerScope, policySignerName: string): boolean {
  const isPattern = policySignerName.endsWith('.*');
  if (!isPattern) return isInScope(scope, policySignerName);
  const prefix = policySignerName.slice(0, -1);
  return isInScope(scope, `${prefix}any`) || [...scope.names].some(name => name.startsWith(prefix));
}
