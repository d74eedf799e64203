// Judges the issuers that Countersign signs with: readiness, and the expiry of their CAs. Pure.

import { type Issuer, isReady, issuerType, readyCondition } from '@countersign/common/issuers/issuer.ts';
import { issuerTypes } from '@countersign/common/issuers/issuer-types.ts';
import { conditionText } from '../explain/csr-state.ts';
import { expiryFinding, type Finding } from './finding.ts';

export interface SeenIssuer {
  readonly issuer: Issuer;
  /** notAfter of the signing certificate; undefined if there is none or it may not be read. */
  readonly expiry: Date | undefined;
}

export function isSignedHere(issuer: Issuer): boolean {
  const type = issuerType(issuer);
  return type !== undefined && issuerTypes[type].signedHere;
}

/** A ClusterIssuer has no namespace. */
export function issuerLabel({ metadata }: Issuer): string {
  return metadata.namespace === undefined
    ? `ClusterIssuer ${metadata.name}`
    : `Issuer ${metadata.namespace}/${metadata.name}`;
}

export function issuerFinding({ issuer, expiry }: SeenIssuer, now: Date): Finding {
  const what = issuerLabel(issuer);
  if (!isReady(issuer)) {
    const ready = readyCondition(issuer);
    return { what, state: 'bad', text: `not Ready${ready === undefined ? '' : `: ${conditionText(ready)}`}` };
  }
  if (expiry !== undefined) {
    const { state, text } = expiryFinding(what, expiry, now);
    return { what, state, text: `Ready; its CA ${text}` };
  }
  const isCa = issuerType(issuer) === 'ca';
  return {
    what,
    state: 'ok',
    text: isCa ? 'Ready; the expiry of its CA is not known: you may not read its Secret' : 'Ready',
  };
}
