// Implements RequestKind for CertificateSigningRequests (certificates.k8s.io/v1). Reads and writes nothing itself.

import { hash } from 'node:crypto';
import { CA, encodeCaAnnotation, readPrivateKeySecretName } from '@countersign/common/annotations.ts';
import { askedBy } from '@countersign/common/approval/request/judged-request.ts';
import {
  type CertificateSigningRequest,
  CSR_PATH,
  type CsrStatus,
  csrPath,
  findFailure,
  formatTime,
  isApproved,
} from '@countersign/common/csr.ts';
import { needsPermission } from '@countersign/common/reference-permission.ts';
import { toRequestedCertificate } from '@countersign/common/validate-request.ts';
import type { RequestKind } from '../request-kind.ts';
import { type CsrRecord, millisecondsSinceApproval, toCsrRecord } from './csr-record.ts';
import { triage } from './triage.ts';
import { concernsApprovers, warningToApprover } from './warn-approver.ts';

export const CSR_KIND: RequestKind<CsrRecord> = {
  name: 'csr',
  resource: 'certificatesigningrequests',
  collection: CSR_PATH,
  isOptional: false,
  subjectsOf: ({ metadata }) => [{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata }],
  logFieldsOf: () => ({}),
  announcesCertificates: true,
  pathOf: csrPath,
  toRecord: toCsrRecord,
  signerNameOf: ({ spec }) => spec.signerName,
  millisecondsOpen: millisecondsSinceApproval,
  triage,
  waitsForIssuer: isApproved,
  concernsApprovers,
  warningToApprover,
  requesterOf: ({ spec }) => spec,
  askedOf: askedBy,
  needsPermission,
  sharesPermissionMs: 0,
  serves: () => true,
  whenNotServed: 'ignore',
  whenUnfit: (_, failure) => failure,
  keySecretName: readPrivateKeySecretName,
  toRequestedCertificate,
  invalidCertificate: 'status.certificate: Invalid value: "<certificate data>": ',

  issuedChange(_, { chainPem, topPem }, { writeCaAnnotation }) {
    const annotations = writeCaAnnotation ? { [CA]: encodeCaAnnotation(topPem) } : {};
    return { metadata: { annotations }, status: { certificate: Buffer.from(chainPem).toString('base64') } };
  },

  issuerTrial: pem => ({ certificate: Buffer.from(pem).toString('base64') }),

  failedChange({ status }, { reason, message }, now) {
    const time = formatTime(now);
    const failed = { type: 'Failed', status: 'True', reason, message, lastTransitionTime: time, lastUpdateTime: time };
    return { status: { conditions: [...(status?.conditions ?? []), failed] } };
  },

  completion({ metadata }, topPem, { writeCaAnnotation }) {
    if (!writeCaAnnotation || metadata.annotations?.[CA] !== undefined) return undefined;
    // The uid makes the patch conditional: another CSR of the same name is not changed.
    return { metadata: { annotations: { [CA]: encodeCaAnnotation(topPem) }, uid: metadata.uid } };
  },

  recordedTop({ metadata: { annotations = {} } }) {
    const { [CA]: top } = annotations;
    return top === undefined ? undefined : decode(top);
  },

  endOf(object) {
    const { status = {} } = object as CertificateSigningRequest;
    if (status.certificate) return { kind: 'issued', certificate: decode(status.certificate) };
    const failure = findFailure({ status });
    return failure && { kind: 'failed', reason: failure.reason ?? '', message: failure.message ?? '' };
  },

  digestOf(status) {
    const { certificate } = status as CsrStatus;
    const { reason, message, lastUpdateTime } = findFailure({ status }) ?? {};
    return hash('sha256', certificate ?? [reason, message, lastUpdateTime].join('\0'));
  },
};

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
