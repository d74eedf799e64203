// Why an issuer cannot sign yet. Pure.

import { foreignType, type Issuer, isReady, issuerType, readyCondition } from '@countersign/common/issuers/issuer.ts';
import { TYPES_SIGNED_HERE } from '@countersign/common/issuers/issuer-types.ts';
import { reasons } from '@countersign/common/reasons/reasons.ts';
import type { SignerRef } from '@countersign/common/signer-name.ts';
import { conditionText } from './csr-state.ts';
import { actionFor, type Obstacle } from './obstacle.ts';

/** `issuer` is undefined if it does not exist. */
export function issuerObstacles(ref: SignerRef, issuer: Issuer | undefined): readonly Obstacle[] {
  if (issuer === undefined) {
    return [obstacle('IssuerNotFound', reasons.IssuerNotFound.message(ref), listCommand(ref))];
  }
  const foreign = foreignType(issuer);
  if (foreign !== undefined) return [otherSigner(foreign)];
  if (issuerType(issuer) === undefined) {
    return [obstacle('IssuerTypeMissing', reasons.IssuerTypeMissing.message(ref), describeCommand(ref))];
  }
  if (isReady(issuer)) return [];
  const ready = readyCondition(issuer);
  const why = ready === undefined ? 'it has no Ready condition; is the signer running?' : conditionText(ready);
  return [obstacle('IssuerNotReady', `${reasons.IssuerNotReady.message(ref)}: ${why}`, describeCommand(ref))];
}

function obstacle(reason: string, what: string, command: string): Obstacle {
  return { reason, what, fix: actionFor(reason) ?? '', command, isFinal: false };
}

function otherSigner(type: string): Obstacle {
  return {
    what: `the issuer is of type ${type}; Countersign itself signs for ${TYPES_SIGNED_HERE.join(', ')}`,
    fix: 'With the chart value delegation.enabled, cert-manager signs for Countersign; without it, the CSR waits for another signer, such as the CSR controllers of cert-manager.',
    isFinal: false,
  };
}

function describeCommand(ref: SignerRef): string {
  return ref.kind === 'Issuer'
    ? `kubectl describe issuer ${ref.name} --namespace ${ref.namespace}`
    : `kubectl describe clusterissuer ${ref.name}`;
}

function listCommand(ref: SignerRef): string {
  return ref.kind === 'Issuer' ? `kubectl get issuers --namespace ${ref.namespace}` : 'kubectl get clusterissuers';
}
