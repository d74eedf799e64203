// The explanation of a CSR as plain data, for the terminal and for `-o json`. Pure.

import { isReady, issuerType, readyCondition } from '@countersign/common/issuers/issuer.ts';
import { formatIssuer } from '@countersign/common/reasons/own-reasons.ts';
import { parseSignerName, type SignerRef } from '@countersign/common/signer-name.ts';
import {
  type CertificateContent,
  type PlannedCertificate,
  planCertificate,
  readCertificates,
} from '../certificate/certificate-content.ts';
import { findDifferences } from '../certificate/differences.ts';
import { type CsrContent, decodeCsr, decodePkcs10, type Pkcs10Content } from '../certificate/request-content.ts';
import type { Permission } from '../cluster/permission.ts';
import { type CsrState, conditionText, stateOf } from './csr-state.ts';
import type { DryRun, Facts } from './facts.ts';
import type { Obstacle } from './obstacle.ts';
import { findObstacles, judgeShape } from './obstacles.ts';

export interface Explanation {
  readonly name: string;
  readonly source: Facts['source'];
  readonly state: CsrState;
  readonly created: string | undefined;
  readonly requester: Facts['requester'];
  readonly signerName: string;
  /** The decoded PKCS#10 request, or why it cannot be decoded. */
  readonly request: Pkcs10Content | { readonly error: string };
  readonly csr: CsrContent;
  readonly differences: readonly string[];
  readonly issuer: IssuerState | undefined;
  readonly permission: Permission | undefined;
  readonly admission: DryRun | undefined;
  /** The certificate, leaf first; or the one that will be signed. */
  readonly certificate:
    | { readonly issued: readonly CertificateContent[] }
    | { readonly planned: PlannedCertificate }
    | undefined;
  readonly conditions: readonly string[];
  readonly events: readonly string[] | { readonly unknown: string };
  readonly obstacles: readonly Obstacle[];
}

export interface IssuerState {
  readonly name: string;
  readonly state: 'Ready' | 'NotReady' | 'missing' | 'unknown';
  readonly type?: string | undefined;
  readonly message?: string | undefined;
}

export function explain(facts: Facts): Explanation {
  const { csr, source, requester, permission, dryRun } = facts;
  const signer = parseSignerName(csr.spec.signerName);
  const request = decodePkcs10(csr);
  const given = decodeCsr(csr);
  return {
    name: csr.metadata.name,
    source,
    state: stateOf(csr),
    created: csr.metadata.creationTimestamp,
    requester,
    signerName: csr.spec.signerName,
    request: request.ok ? request.value : { error: request.error },
    csr: given,
    differences: request.ok ? findDifferences(csr, request.value, given) : [],
    issuer: signer.ok ? issuerState(signer.value, facts.issuer) : undefined,
    permission,
    admission: dryRun,
    certificate: certificateOf(facts),
    conditions: (csr.status?.conditions ?? []).map(found => `${found.type}: ${conditionText(found)}`),
    events: eventTexts(facts),
    obstacles: findObstacles(facts),
  };
}

export function issuerState(ref: SignerRef, issuer: Facts['issuer']): IssuerState {
  const name = formatIssuer(ref);
  if (issuer === undefined) return { name, state: 'unknown' };
  if (!issuer.known) return { name, state: 'unknown', message: issuer.why };
  const found = issuer.value;
  if (found === undefined) return { name, state: 'missing' };
  const ready = readyCondition(found);
  const message = ready && conditionText(ready);
  return { name, state: isReady(found) ? 'Ready' : 'NotReady', type: issuerType(found), message };
}

function certificateOf(facts: Facts): Explanation['certificate'] {
  const { csr, now } = facts;
  const state = stateOf(csr);
  if (state === 'Issued') {
    return { issued: readCertificates(Buffer.from(csr.status?.certificate ?? '', 'base64').toString()) };
  }
  if (state === 'Denied' || state === 'Failed' || !parseSignerName(csr.spec.signerName).ok) return undefined;
  const requested = judgeShape(facts);
  return requested.ok && requested.value !== undefined ? { planned: planCertificate(requested.value, now) } : undefined;
}

function eventTexts({ events }: Facts): Explanation['events'] {
  if (!events.known) return { unknown: events.why };
  return events.value.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

/** Whether the CSR has, or may still get, its certificate. */
export function isSignable({ obstacles }: Pick<Explanation, 'obstacles'>): boolean {
  return obstacles.every(({ isFinal }) => !isFinal);
}
