// Builds CertificateSigningRequests for tests of the signer: whole objects as the API server would hold them, and real PKCS#10
// requests whose key is at hand or whose extensions no tool would write.

import { createPublicKey, sign } from 'node:crypto';
import type { CertificateSigningRequest, ObjectMeta } from '@countersign/common/csr.ts';
import {
  encodeBitString,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  sequence,
  TAG,
  tlv,
} from '@countersign/common/x509/der.ts';
import { EXTENSION_REQUEST, SIGNATURE } from '@countersign/common/x509/oids.ts';
import { formatPem } from '@countersign/common/x509/pem.ts';
import { deriveSerial } from '@countersign/signer/issuance/serial.ts';
import { buildCertificate, createHolder } from './certificate-builder.ts';
import { readPki } from './pki.ts';
import { readRequest } from './vectors.ts';

export interface CsrOrder {
  readonly name?: string;
  readonly signerName?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Base64, as in spec.request. */
  readonly request?: string;
  readonly usages?: readonly string[];
  readonly expirationSeconds?: number;
  /** Types of conditions that are "True". */
  readonly conditions?: readonly string[];
  /** Base64, as in status.certificate. */
  readonly certificate?: string;
  readonly deleted?: boolean;
}

export const APPROVED_AT = '2026-11-24T11:59:00Z';

/** A request of jane's to the Issuer sandbox/my-ca, approved unless the order says otherwise. */
export function buildCsr(order: CsrOrder = {}): CertificateSigningRequest {
  const { conditions = ['Approved'], certificate, expirationSeconds } = order;
  const spec = {
    signerName: order.signerName ?? 'issuers.cert-manager.io/sandbox.my-ca',
    request: order.request ?? readRequest('p256'),
    usages: order.usages ?? ['digital signature', 'key encipherment'],
    username: 'jane',
    groups: ['system:authenticated'],
    ...(expirationSeconds !== undefined && { expirationSeconds }),
  };
  const status = { conditions: conditions.map(toCondition), ...(certificate !== undefined && { certificate }) };
  return { metadata: buildMetadata(order), spec, status };
}

function buildMetadata({ name = 'jane', annotations, deleted }: CsrOrder): ObjectMeta {
  return {
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '7',
    ...(annotations && { annotations }),
    ...(deleted && { deletionTimestamp: APPROVED_AT }),
  };
}

/** As status.certificate has it, with the serial that the signer gives the CSR with this uid: of jane's unless given. */
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

/** Base64 of a request, without subject unless given, that an RSA, ECDSA or Ed25519 key has signed: `p256` of test/vectors/pki unless given. */
export function buildRequest(
  extensions: readonly RequestedExtension[] = [],
  key = readPki('keys/p256'),
  subject = sequence(),
): string {
  const list = sequence(...extensions.map(({ oid, value }) => sequence(encodeOid(oid), encodeOctetString(value))));
  const attributes = sequence(encodeOid(EXTENSION_REQUEST), tlv(TAG.set, list));
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const info = sequence(encodeInteger(Buffer.of(0)), subject, spki, tlv(0xa0, attributes));
  const [digest, ...algorithm] = signatureFor(createPublicKey(key).asymmetricKeyType);
  const signature = sign(digest, info, key);
  const der = sequence(info, sequence(...algorithm), encodeBitString(signature));
  return Buffer.from(formatPem('CERTIFICATE REQUEST', der)).toString('base64');
}

/** The digest, and the fields of the AlgorithmIdentifier. */
function signatureFor(kind: string | undefined): readonly [digest: string | null, ...fields: readonly Buffer[]] {
  if (kind === 'rsa') return ['sha256', encodeOid(SIGNATURE.rsaSha256), tlv(TAG.null)];
  return kind === 'ed25519' ? [null, encodeOid(SIGNATURE.ed25519)] : ['sha256', encodeOid(SIGNATURE.ecdsaSha256)];
}
