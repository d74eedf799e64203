// Builds CertificateSigningRequests as returned by the API server: what a requester sends (requests.ts), the fields
// that the server adds, and a real PKCS#10 request (pkcs10-builder.ts).

import type { CertificateSigningRequest, ObjectMeta } from '@countersign/common/csr.ts';
import { encodeInteger, sequence } from '@countersign/common/x509/der.ts';
import { deriveSerial } from '@countersign/signer/issuance/serial.ts';
import { buildCertificate, createHolder } from './certificate-builder.ts';
import { encodeRequest, extension, extensionRequest, requestInfo, signerOf, signRequest } from './pkcs10-builder.ts';
import { readPki } from './pki.ts';
import { type CsrInput, csrManifest } from './requests.ts';

export interface CsrOrder extends Partial<CsrInput> {
  /** Types of conditions with status "True". */
  readonly conditions?: readonly string[];
  /** Base64, as in status.certificate. */
  readonly certificate?: string;
  readonly deleted?: boolean;
}

export const APPROVED_AT = '2026-11-24T11:59:00Z';

/** A CSR from jane for the Issuer sandbox/my-ca. Approved by default. */
export function buildCsr(order: CsrOrder = {}): CertificateSigningRequest {
  const { conditions = ['Approved'], certificate, deleted, ...input } = order;
  const { metadata, spec } = csrManifest({
    name: 'jane',
    signerName: 'issuers.cert-manager.io/sandbox.my-ca',
    ...input,
  });
  return {
    metadata: { ...metadata, ...serverMetadata(metadata.name, deleted) },
    spec: { ...spec, username: 'jane', groups: ['system:authenticated'] },
    status: { conditions: conditions.map(toCondition), ...(certificate !== undefined && { certificate }) },
  };
}

/** The fields that the API server adds. */
function serverMetadata(name: string, isDeleted = false): Partial<ObjectMeta> {
  return { uid: `uid-of-${name}`, resourceVersion: '7', ...(isDeleted && { deletionTimestamp: APPROVED_AT }) };
}

/**
 * A value of status.certificate with the serial that the signer derives from the uid; defaults to the uid of
 * jane's CSR.
 */
export function buildCertificateOf(uid = 'uid-of-jane'): string {
  const serial = encodeInteger(deriveSerial(uid));
  return Buffer.from(buildCertificate(holder, holder, { serial })).toString('base64');
}

const holder = createHolder('signed here');

function toCondition(type: string) {
  return { type, status: 'True', reason: 'Test', lastUpdateTime: APPROVED_AT, lastTransitionTime: APPROVED_AT };
}

export interface RequestedExtension {
  readonly oid: string;
  readonly value: Buffer;
}

/**
 * Returns a request in base64, signed with an RSA, ECDSA or Ed25519 key. Defaults to an empty subject and the key
 * `p256` of test/vectors/pki.
 */
export function buildRequest(
  extensions: readonly RequestedExtension[] = [],
  key = readPki('keys/p256'),
  subject = sequence(),
): string {
  const asked = extensionRequest(...extensions.map(({ oid, value }) => extension(oid, value)));
  return encodeRequest(signRequest(requestInfo(key, subject, [asked]), signerOf(key)));
}
